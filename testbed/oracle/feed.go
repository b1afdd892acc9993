package oracle

import (
	"errors"
	"sync"

	"github.com/migrated/migrated/vmm"
)

// A feed gives a guest its standard input, wherever it is.
type feed struct {
	mu      sync.Mutex
	change  *sync.Cond
	guest   *vmm.Guest
	moves   int // a guest comes back to where it was: count instead of comparing
	stopped bool
	gone    chan struct{} // closed when the goroutine has ended
}

func newFeed(g *vmm.Guest, text []byte) *feed {
	f := &feed{guest: g, gone: make(chan struct{})}
	f.change = sync.NewCond(&f.mu)
	go f.run(g, text)
	return f
}

func (f *feed) run(g *vmm.Guest, text []byte) {
	defer close(f.gone)
	for moves := 0; g != nil; g, moves = f.next(moves) {
		n, err := g.Input().Write(text)
		text = text[n:]
		if err == nil {
			err = g.Input().Close()
		}
		if !errors.Is(err, vmm.ErrLeft) {
			return // all is delivered, or the guest wants no more
		}
	}
}

// next waits until the guest has moved more than so often, and says where it is; nil: the
// feed is to end.
func (f *feed) next(moves int) (*vmm.Guest, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.moves == moves && !f.stopped {
		f.change.Wait()
	}
	if f.stopped {
		return nil, 0
	}
	return f.guest, f.moves
}

// moved says where the guest goes on.
func (f *feed) moved(g *vmm.Guest) {
	f.mu.Lock()
	f.guest = g
	f.moves++
	f.change.Broadcast()
	f.mu.Unlock()
}

// stop ends the goroutine. The guest must be about to end or have ended.
func (f *feed) stop() {
	f.mu.Lock()
	f.stopped = true
	f.change.Broadcast()
	guest := f.guest
	f.mu.Unlock()
	guest.Close() // ends a write that waits for room
	<-f.gone
}
