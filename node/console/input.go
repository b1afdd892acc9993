package console

import (
	"context"
	"errors"
	"io"
	"sync"
)

// maxPending is how much standard input is held for a guest that does not read, bytes.
const maxPending = 64 << 10

// ErrInputClosed is returned for input behind its end.
var ErrInputClosed = errors.New("standard input has ended")

// An Input holds a VM's standard input at its home, from the first byte that the guest has
// not yet got: a guest that moves goes on where it was.
type Input struct {
	mu      sync.Mutex
	base    int64  // bytes that the guest has
	pending []byte // those behind
	eof     bool
	changed chan struct{}
}

// NewInput returns an empty, open input.
func NewInput() *Input { return &Input{changed: make(chan struct{})} }

// Write adds input; it waits while too much is pending.
func (in *Input) Write(ctx context.Context, p []byte) error {
	for {
		in.mu.Lock()
		if in.eof {
			in.mu.Unlock()
			return ErrInputClosed
		}
		if n := min(len(p), maxPending-len(in.pending)); n > 0 {
			in.pending = append(in.pending, p[:n]...)
			p = p[n:]
			in.notify()
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

// Read returns a piece of input at an offset, once there is one; io.EOF at the end.
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
	if n := offset - in.base; n > 0 && n <= int64(len(in.pending)) {
		in.pending = append([]byte(nil), in.pending[n:]...)
		in.base = offset
		in.notify()
	}
}

// Accepted is how many bytes the guest has.
func (in *Input) Accepted() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.base
}

// notify wakes those who wait; in.mu is held.
func (in *Input) notify() {
	close(in.changed)
	in.changed = make(chan struct{})
}
