package faults

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
)

// A kind is one thing that can go wrong at a moment of a move.
type kind struct {
	name   string
	strike func(*round)
	// kills says that it may end the VM's process: then, and only then, the VM may be lost.
	kills bool
	// disk says that it fills a disk, which takes a file system of its own.
	disk bool
}

// kinds are all. What they break, (*round).heal mends.
var kinds = []kind{
	{name: "daemon of the source killed", strike: func(r *round) { r.kill(r.source()) }},
	{name: "daemon of the target killed", strike: func(r *round) { r.kill(r.target()) }},
	{name: "daemon of the source frozen", strike: func(r *round) { r.freeze(r.source()) }},
	{name: "daemon of the target frozen", strike: func(r *round) { r.freeze(r.target()) }},
	{name: "process at the source killed", kills: true, strike: func(r *round) { r.killVM(r.source()) }},
	{name: "process at the target killed", kills: true, strike: func(r *round) { r.killVM(r.target()) }},
	{name: "network cut", strike: func(r *round) { r.wire.Cut(); r.after(func() { r.wire.Mend() }) }},
	{name: "network reset", strike: func(r *round) { r.wire.Reset() }},
	{name: "bit flipped", strike: func(r *round) { r.wire.Flip() }},
	{name: "network delayed", strike: func(r *round) { r.wire.Delay(r.pause / 20); r.after(func() { r.wire.Delay(0) }) }},
	{name: "disk of the source full", disk: true, strike: func(r *round) { r.fillDisk(r.source()) }},
	{name: "disk of the target full", disk: true, strike: func(r *round) { r.fillDisk(r.target()) }},
	{name: "both daemons killed", strike: func(r *round) { r.kill(r.source()); r.kill(r.target()) }},
}

// kill ends a daemon, and starts the next one after the pause: a move by post-copy waits for it.
func (r *round) kill(n *cluster.Node) {
	n.Kill()
	r.after(func() { r.restart(n) })
}

// freeze stops a daemon for the pause.
func (r *round) freeze(n *cluster.Node) {
	_ = n.Freeze()
	r.after(func() { _ = n.Thaw() })
}

// after does something when the pause is over, before the round ends.
func (r *round) after(f func()) {
	r.pending.Go(func() {
		time.Sleep(r.pause)
		f()
	})
}

// killVM ends the VM's process at a node, if it has one there.
func (r *round) killVM(n *cluster.Node) {
	for _, p := range r.processes() {
		if p.Node == n.Name && strings.HasPrefix(p.Dir, r.id+"-") {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// fillDisk leaves a node's state directory no room.
func (r *round) fillDisk(n *cluster.Node) {
	f, err := os.Create(r.filler(n))
	if err != nil {
		return // it is full
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}

func (r *round) filler(n *cluster.Node) string {
	return filepath.Join(r.c.Dir(), n.Name, "state", "filler")
}

// processes are those of VMs, and those that are kept ready.
func (r *round) processes() []cluster.VMProcess {
	all, err := r.c.Processes()
	check(r.t, err)
	return all
}

// moment draws after how many bytes of a move, of about total, a fault strikes: anywhere, or
// among the last messages, where the VM changes hands.
func moment(rng *rand.Rand, total int64) int64 {
	switch rng.IntN(3) {
	case 0:
		return rng.Int64N(total + 1)
	case 1: // around its beginning: prepare, and the image
		return rng.Int64N(min(total, 8<<10) + 1)
	}
	return total - rng.Int64N(min(total, 4<<10)+1)
}
