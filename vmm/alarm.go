package vmm

import (
	"sync"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// An alarm interrupts a guest that computes, at a time of the guest's clock: its time slices
// end so, and threads that sleep get their turn. An idle guest waits with a deadline instead.
type alarm struct {
	guest *Guest

	mu    sync.Mutex
	timer *time.Timer // nil: none is set
	at    uint64      // mono, ns
	turn  uint64      // counts alarms that were set: a timer of an earlier one is stale
}

// set replaces the alarm that was set before; WaitForever: there is none. The guest's loop
// calls it.
func (a *alarm) set(at uint64) {
	a.clear()
	if at == hostabi.WaitForever {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = at
	a.turn++
	turn := a.turn
	a.timer = time.AfterFunc(a.left(), func() { a.ring(turn) })
}

// left returns how long it is until the alarm. mu is held.
func (a *alarm) left() time.Duration { return a.guest.clock.until(a.at, time.Now()) }

// ring is called by a timer. A wait that is longer than maxTimer goes on.
func (a *alarm) ring(turn uint64) {
	a.mu.Lock()
	if a.timer == nil || a.turn != turn {
		a.mu.Unlock()
		return
	}
	if left := a.left(); left > 0 {
		a.timer.Reset(left)
		a.mu.Unlock()
		return
	}
	a.timer = nil
	a.mu.Unlock()
	a.guest.post(hostabi.PendAlarm)
}

func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
