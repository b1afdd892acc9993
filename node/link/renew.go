package link

import (
	"fmt"
	"sync"
	"time"

	"github.com/migrated/migrated/node/trust"
)

// A link outlives the certificates that it was made with, so each side sends a new one over
// it when it has one, and ends the link when the other side's has run out.

// certified is how long the peer's certificate holds.
type certified struct {
	mu      sync.Mutex
	until   time.Time
	renewed chan struct{} // has something when until has changed
}

func newCertified(until time.Time) certified {
	return certified{until: until, renewed: make(chan struct{}, 1)}
}

func (c *certified) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until
}

func (c *certified) set(until time.Time) {
	c.mu.Lock()
	c.until = until
	c.mu.Unlock()
	select {
	case c.renewed <- struct{}{}:
	default:
	}
}

// renewInterval is how often a side looks whether it has a new certificate. It is a small part
// of trust.Lifetime.
const renewInterval = time.Hour

// keepCertified sends this side's certificates and waits for the peer's.
func (l *Link) keepCertified() {
	tick := time.NewTicker(renewInterval)
	defer tick.Stop()
	var sent []byte
	for {
		expiry := time.NewTimer(time.Until(l.get()))
		select {
		case <-l.Done():
			expiry.Stop()
			return
		case <-l.renewed:
		case <-tick.C:
			var err error
			if sent, err = l.renew(sent); err != nil {
				l.hub.log.Warn("renew certificate", "peer", l.Name(), "err", err)
			}
		case <-expiry.C:
			l.hub.log.Warn("link ended: the peer's certificate has run out", "peer", l.Name())
			l.Close()
			return
		}
		expiry.Stop()
	}
}

// renew sends this side's newest certificate, if it is not the one that was sent last.
func (l *Link) renew(sent []byte) ([]byte, error) {
	r, err := l.hub.trust.Renew(l.conn.ConnectionState())
	if err != nil || string(r.Leaf()) == string(sent) {
		return sent, err
	}
	s, err := l.open(header{kind: kindRenewal})
	if err != nil {
		return sent, err
	}
	defer s.Close()
	if err := s.SetWriteDeadline(time.Now().Add(l.hub.cfg.Timeout)); err != nil {
		return sent, err
	}
	if err := r.Send(s); err != nil {
		return sent, fmt.Errorf("send certificate: %w", err)
	}
	return r.Leaf(), nil
}

// takeRenewal reads the peer's new certificate.
func (l *Link) takeRenewal(s *peerStream) error {
	r, err := trust.ReadRenewal(s)
	if err != nil {
		return err
	}
	until, err := l.hub.trust.CheckRenewal(l.conn.ConnectionState(), l.key, r)
	if err != nil {
		return err
	}
	l.set(until)
	return nil
}
