package vmm

import (
	"crypto/rand"
	"fmt"
	"time"
)

// A clock is the guest's monotonic time, counted on the host's.
type clock struct {
	mono uint64    // ns, at the moment
	at   time.Time // of the host's monotonic clock
}

// resumeClock goes on where a guest left, by the wall time since then. A host whose wall
// clock is behind does not take time back.
func resumeClock(from *Left, now time.Time) clock {
	// Through Round both times lose their monotonic readings: those of two machines, or
	// of one before and after a suspend, do not compare.
	passed := max(0, now.Round(0).Sub(from.Wall.Round(0)))
	return clock{mono: from.Mono + uint64(passed), at: now}
}

func (c *clock) now(t time.Time) uint64 { return c.mono + uint64(max(0, t.Sub(c.at))) }

// until returns how long it is from t to a moment of the guest's clock.
func (c *clock) until(mono uint64, t time.Time) time.Duration {
	now := c.now(t)
	if mono <= now {
		return 0
	}
	return time.Duration(min(mono-now, uint64(maxTimer)))
}

// maxTimer bounds a single wait; longer ones are waited for in pieces.
const maxTimer = time.Hour

// writeClock refreshes the clock in the control page. The guest must be at the doorbell.
func (g *Guest) writeClock() error {
	var counter, mult uint64
	if t, ok := g.machine.(Timekeeper); ok {
		var err error
		if counter, mult, err = t.Counter(); err != nil {
			return fmt.Errorf("read the guest's counter: %w", err)
		}
	}
	now := time.Now()
	g.ctl.ClockCounter = counter
	g.ctl.ClockMult = mult
	g.ctl.ClockMono = g.clock.now(now)
	g.ctl.ClockReal = uint64(now.UnixNano())
	return nil
}

// refresh gives the guest what is fresh at each start and resume.
func (g *Guest) refresh() error {
	rand.Read(g.ctl.Seed[:]) // never fails (crypto/rand)
	return g.writeClock()
}
