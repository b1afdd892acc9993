package e2e

import (
	"fmt"
	"testing"

	"github.com/migrated/migrated/vmm/kvm/kvmtest"
)

// Each mode takes a VM whose threads work on to the board and back: memory that does not
// compress is there, and the threads come on, before and behind each move.
func TestModes(t *testing.T) {
	f, ctx := begun(t)
	const mib = 4
	filled := f.fill(t, ctx, f.server, "kept", mib)
	busy := f.run(t, ctx, f.server, "busy", "started", "threads")
	modes := []string{"precopy", "postcopy", "hybrid"}
	if a := kvmtest.Userfault(t); a == nil {
		modes = modes[:1]
	} else {
		a.Close()
	}
	for i, mode := range modes {
		for back := range 2 {
			for _, v := range []*vm{filled, busy} {
				if back == 0 {
					v.offload("arm-board-1", "--mode", mode)
				} else {
					ctl(t, ctx, f.server, "recall", v.name, "--mode", mode)
				}
			}
			n := 2*i + back + 1
			filled.verify(mib, n)
			busy.send(fmt.Sprintf("move %d", n))
			busy.await(fmt.Sprintf("move %d: all have come on", n))
		}
	}
	for _, v := range []*vm{filled, busy} {
		moves := v.at("running", "server-1").Moves
		if len(moves) != 2*len(modes) {
			t.Fatalf("%s: %d moves, want %d", v.name, len(moves), 2*len(modes))
		}
		for i, m := range moves {
			if m.Mode != modes[i/2] {
				t.Errorf("%s: move %d was by %q, want %q", v.name, i+1, m.Mode, modes[i/2])
			}
		}
		v.Stdin.Close()
	}
	filled.end(0)
	busy.end(6)
}
