package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxPending is how much standard input is held for a guest that does not read, bytes.
const maxPending = 64 << 10

// ErrInputClosed is returned for input behind its end.
var ErrInputClosed = errors.New("standard input has ended")

// An Input holds a VM's standard input, from the first byte that the guest is not known to
// have: a guest that moves goes on where it was. The VM's home has one, and so has whoever
// gives the input, whose daemon may die with what it holds.
type Input struct {
	mu      sync.Mutex
	known   bool   // base is: not before the guest of an earlier daemon has said it
	base    int64  // bytes that the guest has
	pending []byte // those behind
	eof     bool
	changed chan struct{}
}

// NewInput returns an empty, open input of a guest that has none yet.
func NewInput() *Input { return &Input{known: true, changed: make(chan struct{})} }

// ResumeInput returns the input of a guest that an earlier daemon gave some. How much, the
// first Accept says.
func ResumeInput() *Input { return &Input{changed: make(chan struct{})} }

// Write adds input at an offset, leaving out what was added before. It waits while too much is
// pending, and until it is known what the guest has.
func (in *Input) Write(ctx context.Context, offset int64, p []byte) error {
	for {
		in.mu.Lock()
		if in.eof {
			in.mu.Unlock()
			return ErrInputClosed
		}
		if in.known {
			end := in.base + int64(len(in.pending))
			if offset < 0 || offset > end {
				in.mu.Unlock()
				return fmt.Errorf("standard input goes on at %d, not %d", end, offset)
			}
			old := min(int(end-offset), len(p))
			p, offset = p[old:], offset+int64(old)
			n := max(0, min(len(p), maxPending-len(in.pending)))
			in.pending = append(in.pending, p[:n]...)
			p, offset = p[n:], offset+int64(n)
			if n > 0 {
				in.notify()
			}
		}
		changed := in.changed
		in.mu.Unlock()
		if len(p) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// CloseWrite ends the input behind what was written.
func (in *Input) CloseWrite() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.eof {
		in.eof = true
		in.notify()
	}
}

// Read returns a piece of input at an offset, once there is one; io.EOF at the end. What the
// guest has must be known.
func (in *Input) Read(ctx context.Context, offset int64) ([]byte, error) {
	for {
		in.mu.Lock()
		changed := in.changed
		if offset < in.base || offset > in.base+int64(len(in.pending)) {
			in.mu.Unlock()
			return nil, errors.New("standard input is not held at that offset")
		}
		if rest := in.pending[offset-in.base:]; len(rest) > 0 {
			p := append([]byte(nil), rest...)
			in.mu.Unlock()
			return p, nil
		}
		eof := in.eof
		in.mu.Unlock()
		if eof {
			return nil, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Accept says that the guest has all input before an offset.
func (in *Input) Accept(offset int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.known {
		in.known, in.base = true, offset
		in.notify()
	} else if n := offset - in.base; n > 0 && n <= int64(len(in.pending)) {
		in.pending = append([]byte(nil), in.pending[n:]...)
		in.base = offset
		in.notify()
	}
}

// Accepted returns how many bytes the guest has, once that is known and more than before.
func (in *Input) Accepted(ctx context.Context, before int64) (int64, error) {
	for {
		in.mu.Lock()
		known, base, changed := in.known, in.base, in.changed
		in.mu.Unlock()
		if known && base > before {
			return base, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// notify wakes those who wait; in.mu is held.
func (in *Input) notify() {
	close(in.changed)
	in.changed = make(chan struct{})
}
