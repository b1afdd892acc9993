package vmm

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoDirtyLog is returned for guests whose machine cannot say what they write.
var ErrNoDirtyLog = errors.New("this machine does not log what its guest writes")

// LogDirty begins or ends logging which pages of memory the guest writes. A guest that is
// quiesced and then goes on is not logged any more.
func (g *Guest) LogDirty(on bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.logDirty(on)
}

// logDirty is LogDirty. g.mu is held.
func (g *Guest) logDirty(on bool) error {
	m, ok := g.machine.(DirtyLogger)
	switch {
	case !ok:
		return ErrNoDirtyLog
	case g.closed:
		return ErrExited
	}
	if err := m.LogDirty(on); err != nil {
		return err
	}
	g.logging = on
	return nil
}

// endLog ends a log that is kept. g.mu is held.
func (g *Guest) endLog() error {
	if !g.logging {
		return nil
	}
	return g.logDirty(false)
}

// Dirty adds to set the pages written since LogDirty or the last Dirty: page n is bit n%64 of
// word n/64.
func (g *Guest) Dirty(set []uint64) error {
	m, ok := g.machine.(DirtyLogger)
	if !ok {
		return ErrNoDirtyLog
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrExited
	}
	return m.Dirty(set)
}

// throttlePeriod is what a throttled guest gets its share of.
const throttlePeriod = 10 * time.Millisecond

// A throttle keeps a guest off its processor for a part of each period.
type throttle struct {
	rest atomic.Int64 // how long the guest is to rest at its next kick, ns

	mu   sync.Mutex
	stop chan struct{} // ends the kicking; nil where there is none
}

// Throttle keeps the guest off its processor for that share of the time, below 1; 0 ends it.
// A guest that is asked for something is not held back from it.
func (g *Guest) Throttle(share float64) {
	t := &g.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		close(t.stop)
		t.stop = nil
	}
	t.rest.Store(0)
	if share <= 0 {
		return
	}
	t.stop = make(chan struct{})
	go g.kickEach(throttlePeriod, time.Duration(min(share, 0.99)*float64(throttlePeriod)), t.stop)
}

// kickEach has the guest rest once in each period.
func (g *Guest) kickEach(period, rest time.Duration, stop chan struct{}) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return
		case <-g.done:
			return
		}
		g.mu.Lock()
		if !g.closed && g.state == running && g.waiter == nil {
			g.throttle.rest.Store(int64(rest))
			g.machine.Kick()
		}
		g.mu.Unlock()
	}
}

// takeRest is what the guest does when it was kicked.
func (g *Guest) takeRest() {
	rest := g.throttle.rest.Swap(0)
	if rest == 0 {
		return
	}
	timer := time.NewTimer(time.Duration(rest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.poke:
	case <-g.killed:
	}
}
