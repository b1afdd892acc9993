package vmm_test

import (
	"context"
	"errors"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
)

// A throttled guest makes its way, prints what it prints otherwise, and leaves when asked.
func TestThrottle(t *testing.T) {
	b := newBench(t)
	plain, held := newConsole(), newConsole()
	want := wait(t, b.start(t, isa.X86_64, plain, "count", "2000000"))
	g := b.start(t, isa.X86_64, held, "count", "2000000")
	for _, share := range []float64{0.9, 0.5, 0.99, 0, 0.3} {
		g.Throttle(share)
		left, err := g.Quiesce(context.Background())
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		check(t, err)
		if left.Threads != 1 {
			t.Errorf("left %+v", left)
		}
		check(t, g.Continue())
	}
	g.Throttle(0.5)
	if got := wait(t, g); got != want || held.stdout() != plain.stdout() {
		t.Errorf("exit %+v, unthrottled %+v; %d bytes of output, unthrottled %d",
			got, want, len(held.stdout()), len(plain.stdout()))
	}
	if err := g.LogDirty(true); !errors.Is(err, vmm.ErrNoDirtyLog) {
		t.Errorf("a tender's dirty log: %v", err)
	}
}
