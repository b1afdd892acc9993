package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A dialler sees to one configured peer.
type dialler struct {
	Peer
	stop context.CancelFunc
}

// SetPeers says which nodes are to be dialled from now on. Links that are there stay, also to
// those that are not among them any more: VMs may need them.
func (h *Hub) SetPeers(peers []Peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wanted := make(map[string]Peer)
	for _, p := range peers {
		wanted[p.Name] = p
	}
	for name, d := range h.dialled {
		if wanted[name] != d.Peer {
			d.stop()
			delete(h.dialled, name)
			delete(h.errs, name)
		}
	}
	for name, p := range wanted {
		if h.dialled[name] == nil && h.ctx.Err() == nil {
			ctx, stop := context.WithCancel(h.ctx)
			h.dialled[name] = &dialler{Peer: p, stop: stop}
			h.errs[name] = errors.New("not dialled yet")
			h.wg.Go(func() { h.keepDialling(ctx, p) })
		}
	}
	h.notify()
}

// keepDialling sees to it that there is a link to a configured peer. While the peer has
// opened one to us, ours is not needed.
func (h *Hub) keepDialling(ctx context.Context, p Peer) {
	backoff := h.cfg.Backoff
	for ctx.Err() == nil {
		if l, err := h.Link(p.Name); err == nil {
			select {
			case <-l.Done():
			case <-ctx.Done():
			}
			backoff = h.cfg.Backoff
			continue
		}
		err := h.dial(ctx, p)
		h.mu.Lock()
		old := h.errs[p.Name]
		if ctx.Err() == nil { // it is still this dialler's to say
			h.errs[p.Name] = err
		}
		h.mu.Unlock()
		if err == nil {
			continue
		}
		if ctx.Err() == nil && (old == nil || old.Error() != err.Error()) {
			h.log.Warn("no link", "peer", p.Name, "address", p.Address, "err", err)
		}
		// Up to half as much again, so that nodes that lost each other do not dial in step.
		pause := backoff + rand.N(backoff/2+1)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		backoff = min(2*backoff, h.cfg.MaxBackoff)
	}
}

// dial opens one link.
func (h *Hub) dial(ctx context.Context, p Peer) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return err
	}
	peer, err := h.greetFirst(c)
	if err == nil && peer.Name != p.Name {
		err = fmt.Errorf("the node at %s is called %q, not %q", p.Address, peer.Name, p.Name)
	}
	if err != nil {
		c.Close()
		return err
	}
	return h.open(c, peer, true)
}

// greetFirst is the dialling side's greeting.
func (h *Hub) greetFirst(c net.Conn) (*pb.NodeInfo, error) {
	if err := c.SetDeadline(time.Now().Add(h.cfg.Timeout)); err != nil {
		return nil, err
	}
	if err := writeGreeting(c, &pb.Hello{Node: h.cfg.Self()}); err != nil {
		return nil, fmt.Errorf("greet: %w", err)
	}
	hello, err := readGreeting(c)
	if err != nil {
		return nil, err
	}
	if hello.Refused != "" {
		return nil, fmt.Errorf("refused by the other side: %s", hello.Refused)
	}
	return hello.Node, c.SetDeadline(time.Time{})
}

// open multiplexes a greeted connection and makes the link known.
func (h *Hub) open(c net.Conn, peer *pb.NodeInfo, dialled bool) error {
	l, err := newLink(h, c, peer, dialled)
	if err != nil {
		c.Close()
		return err
	}
	if err := h.add(l); err != nil {
		l.Close()
		return err
	}
	return nil
}

// Serve takes connections until the listener is closed: links from other nodes, and plain
// gRPC, which goes to Plain.
func (h *Hub) Serve(ln net.Listener) error {
	h.mu.Lock()
	h.listen = append(h.listen, ln)
	h.mu.Unlock()
	for {
		c, err := ln.Accept()
		if err != nil {
			if h.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		select {
		case h.greeted <- struct{}{}:
		case <-h.ctx.Done():
			c.Close()
			return nil
		}
		go func() {
			defer func() { <-h.greeted }()
			err := h.accept(c)
			if err != nil {
				c.Close()
			}
			switch {
			case errors.Is(err, io.EOF): // a probe that only wanted to see the port open
				h.log.Debug("connection without a word", "address", c.RemoteAddr())
			case err != nil:
				h.log.Warn("connection refused", "address", c.RemoteAddr(), "err", err)
			}
		}()
	}
}

// accept is the accepting side's greeting.
func (h *Hub) accept(raw net.Conn) error {
	c, ours, err := isLink(raw, h.cfg.Timeout)
	if err != nil {
		return fmt.Errorf("read first bytes: %w", err)
	}
	if !ours {
		h.plain.put(c)
		return nil
	}
	hello, err := readGreeting(c)
	if err == nil && hello.Node == nil {
		err = errors.New("the dialling side refuses its own link")
	}
	if err == nil {
		h.mu.Lock()
		err = h.acceptable(hello.Node)
		h.mu.Unlock()
	}
	answer := &pb.Hello{Node: h.cfg.Self()}
	if err != nil {
		answer.Refused = err.Error()
	}
	if werr := c.SetDeadline(time.Now().Add(h.cfg.Timeout)); werr != nil {
		return werr
	}
	if werr := writeGreeting(c, answer); werr != nil {
		return fmt.Errorf("greet: %w", werr)
	}
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return err
	}
	return h.open(c, hello.Node, false)
}
