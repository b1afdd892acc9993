package vmproc

import (
	"fmt"
	"io"
	"sync"
)

// A feeder gives a guest its standard input and counts what it got.
type feeder struct {
	writing sync.Mutex // held while the guest is given something

	mu       sync.Mutex
	accepted int64 // bytes of the VM's standard input that the guest has
	ended    bool
}

// write gives the guest a piece of its input; what it has already is left out.
func (f *feeder) write(to io.WriteCloser, offset int64, p []byte, eof bool) (accepted int64, err error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	have := f.count()
	if offset > have || offset < 0 {
		return have, fmt.Errorf("standard input goes on at %d, not %d", have, offset)
	}
	if have -= offset; have < int64(len(p)) {
		var n int
		n, err = to.Write(p[have:])
		f.mu.Lock()
		f.accepted += int64(n)
		f.mu.Unlock()
	}
	if err == nil && eof {
		if err = to.Close(); err == nil {
			f.mu.Lock()
			f.ended = true
			f.mu.Unlock()
		}
	}
	return f.count(), err
}

// count is how much the guest has. While the guest is off its stack it does not change.
func (f *feeder) count() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.accepted
}

func (f *feeder) closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// set says what a guest had when it arrived.
func (f *feeder) set(accepted int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accepted = accepted
}
