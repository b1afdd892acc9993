package link

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// A gate is the TCP listener, which is open only while somebody could have business here: a
// peer is enrolled, or a token waits to be used.
type gate struct {
	mu      sync.Mutex
	ln      net.Listener
	address string // where it was the last time, so that a port once chosen stays
	closed  bool
}

// ErrNoListener is what a node says that is configured to listen nowhere.
var ErrNoListener = errors.New(`this node listens nowhere, as its configuration says (listen = "")`)

// Listening opens or closes the listener as it should be.
func (h *Hub) Listening() error {
	g := &h.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.cfg.Listen != "" && h.trust.Open() {
		return g.open(h)
	}
	if g.ln != nil {
		h.log.Info("listens no more: nobody is enrolled", "listen", g.ln.Addr())
		g.ln.Close()
		g.ln = nil
	}
	return nil
}

// Listen opens the listener for somebody who is about to be given a token, and returns its
// address. Without the token, Listening closes it again.
func (h *Hub) Listen() (net.Addr, error) {
	if h.cfg.Listen == "" {
		return nil, ErrNoListener
	}
	g := &h.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.open(h); err != nil {
		return nil, err
	}
	return g.ln.Addr(), nil
}

// open opens the listener if it is closed. g.mu is held.
func (g *gate) open(h *Hub) error {
	if g.closed {
		return net.ErrClosed
	}
	if g.ln != nil {
		return nil
	}
	if g.address == "" {
		g.address = h.cfg.Listen
	}
	ln, err := net.Listen("tcp", g.address)
	if err != nil {
		return fmt.Errorf("listen for other nodes: %w", err)
	}
	g.ln, g.address = ln, ln.Addr().String()
	h.log.Info("listens for other nodes", "listen", ln.Addr())
	h.wg.Go(func() {
		if err := h.Serve(ln); err != nil {
			h.log.Error("listen for other nodes", "err", err)
		}
	})
	return nil
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.ln != nil {
		g.ln.Close()
	}
}

// A door counts those who have not shown yet who they are, so that they cost little however
// many there are.
type door struct {
	mu    sync.Mutex
	total int
	from  map[string]int // by IP address

	logged time.Time // when one who was refused was last logged
	silent int       // how many were not since
}

// logInterval keeps those who are refused again and again from filling the log.
const logInterval = time.Second

// mayLog says whether one who was refused may be logged, and how many were not meanwhile.
func (d *door) mayLog(now time.Time) (yes bool, silent int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.logged) < logInterval {
		d.silent++
		return false, 0
	}
	silent, d.silent, d.logged = d.silent, 0, now
	return true, silent
}

const (
	maxStrangers     = 64 // at a time
	maxStrangersFrom = 16 // of them from one address
)

var errCrowd = errors.New("too many connections that have not authenticated themselves")

// enter lets a connection try, or not; leave is for when it is known, or gone.
func (d *door) enter(c net.Conn) (leave func(), err error) {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total >= maxStrangers || d.from[host] >= maxStrangersFrom {
		return nil, errCrowd
	}
	if d.from == nil {
		d.from = make(map[string]int)
	}
	d.total++
	d.from[host]++
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.total--
		if d.from[host]--; d.from[host] == 0 {
			delete(d.from, host)
		}
	}), nil
}
