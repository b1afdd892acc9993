package cluster

import (
	"fmt"
	"net"
	"sync"
	"time"
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
	count int64         // bytes that have passed
	flip  bool          // alter the next byte
	delay time.Duration // of what passes
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

// Count is how many bytes have passed, in both directions.
func (w *Wire) Count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// Flip alters one bit of what passes next.
func (w *Wire) Flip() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flip = true
}

// Delay holds back all that passes for a while, until Mend.
func (w *Wire) Delay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = d
}

// Reset breaks all connections as a host does that has forgotten them. New ones can be made.
func (w *Wire) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // closing it sends RST
		}
		c.Close()
	}
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
	w.cut, w.delay, w.flip, w.event = false, 0, false, nil
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
			if event := w.passes(int64(n)); event != nil {
				event()
			}
			w.disturb(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// disturb does to bytes on their way what was asked for.
func (w *Wire) disturb(p []byte) {
	w.mu.Lock()
	delay := w.delay
	if w.flip {
		w.flip = false
		p[len(p)/2] ^= 0x10
	}
	w.mu.Unlock()
	time.Sleep(delay)
}

// passes returns what is to happen now that n more bytes have come.
func (w *Wire) passes(n int64) (event func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count += n
	if w.event == nil {
		return nil
	}
	if w.left -= n; w.left > 0 {
		return nil
	}
	event, w.event = w.event, nil
	return event
}
