package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Serve takes TCP connections until the listener is closed: links from other nodes, memory of
// moves, operators elsewhere, and those who join with a token.
func (h *Hub) Serve(ln net.Listener) error {
	stop := context.AfterFunc(h.ctx, func() { ln.Close() })
	defer stop()
	for {
		c, err := ln.Accept()
		if err != nil {
			if h.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		leave, err := h.door.enter(c)
		if err != nil {
			c.Close()
			h.log.Debug("connection refused", "address", c.RemoteAddr(), "err", err)
			continue
		}
		go func() {
			defer leave()
			err := h.accept(c.(*net.TCPConn)) // the listener is for TCP
			if err != nil {
				c.Close()
			}
			switch {
			case errors.Is(err, io.EOF): // a probe that only wanted to see the port open
				h.log.Debug("connection without a word", "address", c.RemoteAddr())
			case err != nil:
				if yes, silent := h.door.mayLog(time.Now()); yes {
					h.log.Warn("connection refused", "address", c.RemoteAddr(), "err", err, "more", silent)
				}
			}
		}()
	}
}

// accept finds out who connects and what for.
func (h *Hub) accept(raw *net.TCPConn) error {
	ctx, cancel := context.WithTimeout(h.ctx, h.cfg.Timeout)
	defer cancel()
	data, err := beginsAsData(ctx, raw)
	if err != nil {
		return err
	}
	if data {
		return h.acceptData(ctx, raw)
	}
	c, err := h.trust.Handshake(ctx, raw)
	if err != nil {
		return err
	}
	cs := c.ConnectionState()
	if cs.NegotiatedProtocol == trust.ProtoJoin {
		return h.acceptJoin(c)
	}
	peer, _, err := h.trust.Authenticate(cs)
	if err != nil {
		return err
	}
	if cs.NegotiatedProtocol == trust.ProtoOperator {
		return h.acceptOperator(c, peer)
	}
	return h.acceptLink(c, peer)
}

// acceptJoin enrols the holder of a token.
func (h *Hub) acceptJoin(c *channel.Conn) error {
	defer c.Close()
	p, err := h.trust.Accept(c)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	h.cfg.Enrolled(p, c.RemoteAddr().String())
	return nil
}

// maxOperatorConns bounds the connections of operators elsewhere, all together.
const maxOperatorConns = 128

func (h *Hub) acceptOperator(c *channel.Conn, peer trust.Peer) error {
	oc := &operatorConn{Conn: c, hub: h, addr: OperatorAddr{Peer: peer, Address: c.RemoteAddr().String()}}
	h.mu.Lock()
	err := h.trust.Check(peer.Key, trust.Operate) // it may have been revoked meanwhile
	if err == nil && len(h.calls) >= maxOperatorConns {
		err = fmt.Errorf("%d operators are connected already", maxOperatorConns)
	}
	if err == nil {
		h.calls[oc] = true
	}
	h.mu.Unlock()
	if err != nil {
		return err
	}
	h.operators.put(oc)
	return nil
}

// acceptLink is the accepting side's greeting.
func (h *Hub) acceptLink(c *channel.Conn, enrolled trust.Peer) error {
	if err := c.SetDeadline(time.Now().Add(h.cfg.Timeout)); err != nil {
		return err
	}
	hello, err := readGreeting(c)
	if err == nil && hello.Node == nil {
		err = errors.New("the dialling side refuses its own link")
	}
	if err == nil && hello.Node.Name != enrolled.Name {
		err = fmt.Errorf("it calls itself %q, and is enrolled as %q: give it its name, or revoke and enrol it anew", hello.Node.Name, enrolled.Name)
	}
	if err == nil {
		h.mu.Lock()
		err = h.acceptable(hello.Node)
		h.mu.Unlock()
	}
	answer := &pb.Hello{Node: h.self()}
	if err != nil {
		answer.Refused = err.Error()
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
