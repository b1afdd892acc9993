package vmm

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/migrated/migrated/vmm/hostabi"
)

// An input feeds the guest's input ring. It implements io.WriteCloser.
//
// The guest does not say when it has read; but one that has read everything and wants more
// rings WAIT. So a writer that waits for room is woken at every doorbell.
type input struct {
	ring *hostabi.Ring
	post func(bits uint32) // sets pending bits
	eof  *uint32           // mig_ctl.in_eof
	fail func(error)       // the guest wrote nonsense

	mu     sync.Mutex
	change *sync.Cond
	head   uint32 // what ring.Head has; the guest can write there, so this one counts
	held   bool   // the guest is leaving: add nothing
	closed bool
	ended  bool
}

var (
	errInputClosed = errors.New("standard input of the guest is closed")
	errRing        = errors.New("ring is corrupt")
)

func newInput(ring *hostabi.Ring, g *Guest) *input {
	in := &input{ring: ring, post: g.post, eof: &g.ctl.InEOF, fail: g.fail}
	in.change = sync.NewCond(&in.mu)
	return in
}

// Write blocks while the ring is full. While the guest is leaving or has left, it fails
// with ErrLeft.
func (in *input) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n, err := in.some(p)
		written += n
		if errors.Is(err, errRing) {
			in.fail(err)
			err = ErrExited
		}
		if err != nil {
			return written, err
		}
		p = p[n:]
		in.post(hostabi.PendInput)
	}
	return written, nil
}

// some waits for room and writes what fits.
func (in *input) some(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		switch {
		case in.held: // first: one that left and was closed then goes on elsewhere
			return 0, ErrLeft
		case in.ended:
			return 0, ErrExited
		case in.closed:
			return 0, errInputClosed
		}
		used, err := in.used()
		if err != nil {
			return 0, err
		}
		if room := hostabi.RingSize - used; room > 0 {
			n := min(uint32(min(len(p), hostabi.RingSize)), room)
			in.put(p[:n])
			return int(n), nil
		}
		in.change.Wait()
	}
}

// used returns the bytes that the guest has not read. in.mu is held.
func (in *input) used() (uint32, error) {
	tail := atomic.LoadUint32(&in.ring.Tail)
	if n := in.head - tail; n <= hostabi.RingSize {
		return n, nil
	}
	return 0, fmt.Errorf("input %w: tail %#x is not behind head %#x", errRing, tail, in.head)
}

// put writes p, which fits. in.mu is held.
func (in *input) put(p []byte) {
	at := in.head % hostabi.RingSize
	first := copy(in.ring.Data[at:], p)
	copy(in.ring.Data[:], p[first:])
	in.head += uint32(len(p))
	atomic.StoreUint32(&in.ring.Head, in.head)
}

// Close ends the input behind what was written. It too fails with ErrLeft.
func (in *input) Close() error {
	if err := in.close(); err != nil {
		return err
	}
	in.post(hostabi.PendInput)
	return nil
}

func (in *input) close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.held:
		return ErrLeft
	case in.ended || in.closed:
		return nil
	}
	in.closed = true
	in.change.Broadcast()
	atomic.StoreUint32(in.eof, 1)
	return nil
}

// hold turns writers away, or lets them.
func (in *input) hold(yes bool) {
	in.mu.Lock()
	in.held = yes
	in.change.Broadcast()
	in.mu.Unlock()
}

// room tells a writer that the guest may have read.
func (in *input) room() {
	in.mu.Lock()
	in.change.Broadcast()
	in.mu.Unlock()
}

// end fails all writers, with ErrLeft if the guest had left.
func (in *input) end(left bool) {
	in.mu.Lock()
	in.ended, in.held = true, left
	in.change.Broadcast()
	in.mu.Unlock()
}

// leave turns writers away and returns what the guest has not taken, and whether nothing
// follows.
func (in *input) leave() ([]byte, bool, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.held = true
	in.change.Broadcast()
	n, err := in.used()
	if err != nil {
		return nil, false, err
	}
	b := make([]byte, n)
	at := (in.head - n) % hostabi.RingSize
	first := copy(b, in.ring.Data[at:])
	copy(b[first:], in.ring.Data[:])
	return b, in.closed, nil
}

// restore puts what a guest had not taken elsewhere into the ring, in place of what is there.
func (in *input) restore(unread []byte, eof bool) error {
	if len(unread) > hostabi.RingSize {
		return fmt.Errorf("%d bytes of unread input do not fit into the ring", len(unread))
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	atomic.StoreUint32(&in.ring.Tail, in.head)
	in.put(unread)
	if eof {
		in.closed = true
		atomic.StoreUint32(in.eof, 1)
	}
	return nil
}

// Input feeds the guest's standard input.
func (g *Guest) Input() io.WriteCloser { return g.in }
