package cluster

import (
	"fmt"
	"net"
	"sync"
)

// A Wire is the network between a node and those that dial it by the wire's address. Things
// can be made to happen when a given amount has passed, so that tests meet a transfer in its
// middle, however fast the machine is.
type Wire struct {
	ln net.Listener

	mu    sync.Mutex
	to    string // where it ends
	conns map[net.Conn]bool
	cut   bool
	left  int64 // bytes until event is called
	event func()
}

// NewWire makes a wire to the node at an address.
func NewWire(to string) (*Wire, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("make a wire: %w", err)
	}
	w := &Wire{ln: ln, to: to, conns: map[net.Conn]bool{}}
	go w.accept()
	return w, nil
}

// Address is where the wire begins.
func (w *Wire) Address() string { return w.ln.Addr().String() }

// After has f called, once, when n more bytes have passed in either direction. Nothing more
// passes in that direction before it has returned.
func (w *Wire) After(n int64, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.event = n, f
}

// Cut breaks all connections. New ones are refused until Mend.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.conns {
		c.Close()
	}
}

// Mend lets connections be made again.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

// Redirect has new connections go to another address.
func (w *Wire) Redirect(to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
}

// Close takes the wire away.
func (w *Wire) Close() {
	w.ln.Close()
	w.Cut()
}

func (w *Wire) accept() {
	for {
		from, err := w.ln.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		end := w.to
		w.mu.Unlock()
		to, err := net.Dial("tcp", end)
		if err != nil {
			from.Close()
			continue
		}
		if !w.add(from, to) {
			from.Close()
			to.Close()
			continue
		}
		go w.copy(to, from)
		go w.copy(from, to)
	}
}

// add takes a pair of connections on, unless the wire is cut.
func (w *Wire) add(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
	return !w.cut
}

func (w *Wire) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	defer func() {
		w.mu.Lock()
		delete(w.conns, from)
		w.mu.Unlock()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if event := w.count(int64(n)); event != nil {
				event()
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// count returns what is to happen now that n more bytes have come.
func (w *Wire) count(n int64) (event func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.event == nil {
		return nil
	}
	if w.left -= n; w.left > 0 {
		return nil
	}
	event, w.event = w.event, nil
	return event
}
