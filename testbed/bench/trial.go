package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/testbed/qemu"
)

// A trial is one move.
type trial struct {
	down, total time.Duration
	bytes       int64 // that the link carried from the source, headers included
	note        string
}

func moveTrial(m *cluster.Move) trial {
	return trial{down: m.Downtime, total: m.Total, note: fmt.Sprintf("%s, %d rounds; prepare %s, %s", m.Mode, m.Rounds, number(milliseconds(m.Prepare)), moveNote(m))}
}

func qemuTrial(a qemu.Account) trial {
	return trial{down: a.Downtime, total: a.Total, note: fmt.Sprintf("%d rounds, own count of downtime %.0f ms", a.Rounds, milliseconds(a.Own))}
}

// String is for notes.
func (t trial) String() string {
	return fmt.Sprintf("%s ms, %s MiB in %.2f s (%s)", number(milliseconds(t.down)), number(mebibytes(float64(t.bytes))), t.total.Seconds(), t.note)
}

// best is what was least in some moves, each figure by itself: what disturbs a move makes it
// longer, never shorter. The note is that of the shortest downtime.
func best(ts []trial) trial {
	b := slices.MinFunc(ts, func(x, y trial) int { return int(x.down - y.down) })
	for _, t := range ts {
		b.total, b.bytes = min(b.total, t.total), min(b.bytes, t.bytes)
	}
	return b
}

// A comparison is of moves of one heap over one link.
type comparison struct {
	ours, plain, zstd []trial // of QEMU's the latter two
}

// report adds the comparison's rows.
func (c *comparison) report(r *report, name string) {
	ours, plain, zstd := best(c.ours), best(c.plain), best(c.zstd)
	over := func(x, y time.Duration) float64 { return float64(x) / float64(y) }
	r.expect(name+": downtime / QEMU", over(ours.down, plain.down), "", 0.1, fmt.Sprintf("%v / %v", ours, plain))
	r.expect(name+": downtime / QEMU zstd", over(ours.down, zstd.down), "", 0.1, fmt.Sprintf("%v / %v", ours, zstd))
	r.expect(name+": time / QEMU", over(ours.total, min(plain.total, zstd.total)), "", 1, "the shorter of QEMU's")
	r.expect(name+": bytes / QEMU zstd", float64(ours.bytes)/float64(zstd.bytes), "", 1, "")
}
