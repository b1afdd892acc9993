package vmm

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// alarmed is a guest of which there is only what an alarm needs. Its clock began just now.
func alarmed() *Guest {
	g := &Guest{ctl: &hostabi.Ctl{}, poke: make(chan struct{}, 1), clock: clock{at: time.Now()}}
	g.alarm.guest = g
	return g
}

func pending(g *Guest) bool { return atomic.LoadUint32(&g.ctl.Pending)&hostabi.PendAlarm != 0 }

func TestAlarm(t *testing.T) {
	g := alarmed()
	at := uint64(3 * time.Millisecond)
	g.alarm.set(at)
	<-g.poke
	if !pending(g) {
		t.Error("the guest was woken, but not told why")
	}
	if now := g.clock.now(time.Now()); now < at {
		t.Errorf("alarm at %d, asked for %d", now, at)
	}
}

// An alarm that is replaced or cleared does not ring, even if its timer was on the way.
func TestAlarmReplaced(t *testing.T) {
	g := alarmed()
	g.alarm.set(uint64(time.Hour))
	stale := g.alarm.turn
	g.alarm.set(hostabi.WaitForever)
	g.alarm.at = 0
	g.alarm.ring(stale)
	if pending(g) {
		t.Error("a cleared alarm rang")
	}
	g.alarm.set(uint64(2 * time.Hour))
	g.alarm.mu.Lock()
	g.alarm.at = 0
	g.alarm.mu.Unlock()
	g.alarm.ring(stale)
	if pending(g) {
		t.Error("an alarm that was replaced rang")
	}
	g.alarm.ring(g.alarm.turn)
	if !pending(g) {
		t.Error("the one that is set did not")
	}
}

// One that is further away than a timer is asked for is waited for in pieces.
func TestAlarmInPieces(t *testing.T) {
	g := alarmed()
	g.alarm.set(uint64(5 * maxTimer))
	g.alarm.ring(g.alarm.turn)
	if pending(g) || g.alarm.timer == nil {
		t.Error("it rang early, or was forgotten")
	}
	g.alarm.clear()
}
