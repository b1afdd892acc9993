package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A dialler sees to it that there is a link to one peer. While the peer has opened one to us,
// ours is not needed.
type dialler struct {
	hub       *Hub
	name      string
	addresses []string // tried in turn; one at least
	ctx       context.Context
	cancel    context.CancelFunc
	soon      chan struct{} // has something when waiting makes no sense any more

	err error // why there is no link; protected by hub.mu
}

func newDialler(h *Hub, name string, addresses []string) *dialler {
	d := &dialler{hub: h, name: name, addresses: addresses, soon: make(chan struct{}, 1), err: errors.New("not dialled yet")}
	d.ctx, d.cancel = context.WithCancel(h.ctx)
	return d
}

// hurry has it dial at once, should it wait to try again.
func (d *dialler) hurry() {
	select {
	case d.soon <- struct{}{}:
	default:
	}
}

func (d *dialler) run() {
	h := d.hub
	backoff := h.cfg.Backoff
	for d.ctx.Err() == nil {
		if l, err := h.Link(d.name); err == nil {
			select {
			case <-l.Done():
			case <-d.ctx.Done():
			}
			backoff = h.cfg.Backoff
			continue
		}
		address, err := d.dial()
		if d.note(err) {
			h.log.Warn("no link", "peer", d.name, "address", address, "err", err)
		}
		if err == nil {
			continue
		}
		// Up to half as much again, so that nodes that lost each other do not dial in step.
		select {
		case <-time.After(backoff + rand.N(backoff/2+1)):
		case <-d.soon:
		case <-d.ctx.Done():
		}
		backoff = min(2*backoff, h.cfg.MaxBackoff)
	}
}

// note keeps why there is no link, and says whether that is news.
func (d *dialler) note(err error) bool {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	old := d.err
	d.err = err
	return err != nil && (old == nil || old.Error() != err.Error())
}

// dial opens one link, at the first address that answers.
func (d *dialler) dial() (address string, err error) {
	var errs []error
	for _, address = range d.addresses {
		err := d.hub.dial(d.ctx, Peer{d.name, address})
		if err == nil {
			return address, nil
		}
		errs = append(errs, err)
	}
	return address, errors.Join(errs...)
}

// dial opens a link to a peer that is enrolled.
func (h *Hub) dial(ctx context.Context, p Peer) error {
	enrolled, err := h.trust.Peer(p.Name)
	if err != nil {
		return fmt.Errorf("%w: `migratectl trust token %s` there makes a token for `migrated join` here, or the other way round", err, h.cfg.Self().Name)
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	c, err := h.trust.Dial(ctx, p.Address, trust.ProtoLink, enrolled.Key)
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
	if err := writeGreeting(c, &pb.Hello{Node: h.self()}); err != nil {
		return nil, fmt.Errorf("greet: %w", err)
	}
	hello, err := readGreeting(c)
	if err != nil {
		return nil, err
	}
	if hello.Refused != "" {
		return nil, fmt.Errorf("refused by the other side: %s", hello.Refused)
	}
	if err := h.checkProtocol(hello.Node); err != nil {
		return nil, err
	}
	return hello.Node, c.SetDeadline(time.Time{})
}

// open multiplexes a greeted connection and makes the link known.
func (h *Hub) open(c *channel.Conn, peer *pb.NodeInfo, dialled bool) error {
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
