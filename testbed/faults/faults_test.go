// Package faults breaks what can break while a VM moves between two real daemons, at any
// moment, and checks that the VM was neither lost nor doubled.
package faults

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm/kvm/kvmtest"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the faults; 0 draws one")
	rounds   = flag.Int("rounds", 0, "how many; 0 for one of each kind, or 300 under MIGRATED_LONG")
	mode     = flag.String("mode", "auto", "how VMs are moved")
	only     = flag.String("kind", "", "only kinds of fault whose name contains this")
)

const (
	lines    = 300              // that the program prints
	patience = 30 * time.Second // for what must come
)

// A campaign is two daemons, a network between them, and a program to move.
type campaign struct {
	c     *cluster.Cluster
	wire  *cluster.Wire
	a, b  *cluster.Node // a dials b over the wire; VMs are at home on a
	image string
	want  string // what the program prints
	bytes int64  // that an undisturbed move carries
	disks bool   // the nodes have file systems of their own
}

// A round is one move with one fault.
type round struct {
	*campaign
	t       *testing.T
	ctx     context.Context
	rng     *rand.Rand
	recall  bool // from b to a; else from a to b
	id      string
	pause   time.Duration // how long what comes back is away
	pending sync.WaitGroup

	mu     sync.Mutex // held while something is being broken
	struck bool
	over   bool // nothing is to be broken any more
}

func (r *round) source() *cluster.Node {
	if r.recall {
		return r.b
	}
	return r.a
}

func (r *round) target() *cluster.Node {
	if r.recall {
		return r.a
	}
	return r.b
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts daemons: not with -short")
	}
	kvmtest.Need(t)
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	f := start(t)
	var chosen []kind
	for _, k := range kinds {
		if strings.Contains(k.name, *only) && (f.disks || !k.disk) {
			chosen = append(chosen, k)
		}
	}
	n := *rounds
	if n == 0 && os.Getenv("MIGRATED_LONG") != "" {
		n = 300
	} else if n == 0 {
		n = len(chosen)
	}
	results := map[string]int{}
	for i := range n {
		k := chosen[i%len(chosen)]
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		ok := t.Run(fmt.Sprintf("%d %s", i, k.name), func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2*patience, fmt.Errorf("round %d takes too long", i))
			defer cancel()
			r := &round{campaign: f, t: t, ctx: ctx, rng: rng, recall: rng.IntN(2) == 1, pause: time.Duration(rng.IntN(1500)) * time.Millisecond}
			results[r.run(fmt.Sprintf("vm%d", i), k)]++
		})
		if !ok {
			for _, n := range []*cluster.Node{f.a, f.b} {
				t.Logf("log of %s:\n%s", n.Name, n.Log())
			}
			t.Fatalf("seed %d: stopped at round %d", seed, i)
		}
	}
	t.Logf("seed %d, %d rounds: %v", seed, n, results)
}

// start starts the daemons and sees what an undisturbed move is like.
func start(t *testing.T) *campaign {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	f := newCampaign(t, ctx, nil)
	c := f.c
	f.disks = true
	for _, name := range []string{"a", "b"} {
		dir := filepath.Join(c.Dir(), name, "state")
		check(t, os.MkdirAll(dir, 0o700))
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m,mode=0700"); err != nil {
			t.Logf("no disk is filled: a file system of its own cannot be mounted: %v", err)
			f.disks = false
			break
		}
		t.Cleanup(func() { check(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	}
	var err error
	f.b, err = c.Start(ctx, f.config("b"))
	check(t, err)
	f.wire, err = cluster.NewWire(f.b.Address)
	check(t, err)
	t.Cleanup(f.wire.Close)
	f.a, err = c.Start(ctx, f.config("a"))
	check(t, err)
	check(t, f.a.AwaitPeer(ctx, "b"))

	r := &round{campaign: f, t: t, ctx: ctx}
	r.reference(lines)
	before := f.wire.Count()
	r.must(f.a, "run", "-d", "--name", "still", f.image, "--", fmt.Sprint(lines))
	r.must(f.a, "offload", "still", "--to", "b", "--mode", *mode)
	f.bytes = f.wire.Count() - before
	r.ctl(f.a, "wait", "still")
	r.checkEnd("still", false)
	return f
}

// newCampaign has the program to move, and no nodes yet; nil builds are the usual ones.
func newCampaign(t *testing.T, ctx context.Context, builds []string) *campaign {
	t.Helper()
	c, err := cluster.New()
	check(t, err)
	t.Cleanup(c.Close)
	f := &campaign{c: c, image: filepath.Join(c.Dir(), "steady.img")}
	check(t, toolchain.Build(ctx, toolchain.Options{
		Sources: []string{"testdata/steady.c"}, CFlags: []string{"-O2"}, Output: f.image, Builds: builds,
	}))
	return f
}

// reference sees what the program prints on a, so many lines, when nothing disturbs it.
func (r *round) reference(lines int) {
	r.t.Helper()
	r.ctl(r.a, "run", "--name", "reference", r.image, "--", fmt.Sprint(lines)) // its status is the program's
	r.want = r.ctl(r.a, "logs", "reference").Stdout
	if strings.Count(r.want, "\n") != lines {
		r.t.Fatalf("the program printed:\n%s", r.want)
	}
}

func (f *campaign) config(name string) cluster.NodeConfig {
	cfg := cluster.NodeConfig{Name: name, Config: "[move]\nstall_timeout = \"1s\"\n"}
	if name == "a" {
		cfg.Peers = []cluster.Peer{{Name: "b", Address: f.wire.Address()}}
	}
	return cfg
}

// run moves a VM, breaks something, mends it, and checks what came of it.
func (r *round) run(name string, k kind) (result string) {
	r.must(r.a, "run", "-d", "--name", name, r.image, "--", fmt.Sprint(lines))
	v, err := r.a.Inspect(r.ctx, name)
	check(r.t, err)
	r.id = v.ID
	move := []string{"offload", name, "--to", "b", "--mode", *mode}
	if r.recall {
		if there := r.ctl(r.a, move...); strings.Contains(there.Stderr, "has ended") {
			return "the program had ended before it could be moved" // on a machine that is very busy
		} else if there.Code != 0 {
			r.t.Fatalf("migratectl %q: status %d: %s", move, there.Code, there.Stderr)
		}
		move = []string{"recall", name, "--mode", *mode}
	}
	at := moment(r.rng, r.bytes)
	r.wire.After(at, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.over {
			r.struck = true
			k.strike(r)
		}
	})
	moved := r.ctl(r.a, move...)
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	r.pending.Wait()
	r.heal()
	r.ctl(r.a, "wait", name)
	r.t.Logf("struck %v at byte %d of %d, recall %v, pause %v: status %d, %s", r.struck, at, r.bytes, r.recall, r.pause, moved.Code, lastLine(moved.Stderr))
	lost := r.checkEnd(name, k.kills && r.struck)
	return fmt.Sprintf("struck %v, moved %v, lost %v", r.struck, moved.Code == 0, lost)
}

// heal has everything work again.
func (r *round) heal() {
	r.t.Helper()
	r.wire.Mend()
	for _, n := range []*cluster.Node{r.b, r.a} {
		_ = n.Thaw()
		if r.disks {
			_ = os.Remove(r.filler(n))
		}
		if !n.Running() {
			r.restart(n)
		}
	}
	check(r.t, r.a.AwaitPeer(r.ctx, "b"))
}

// restart starts the next daemon of a node.
func (r *round) restart(n *cluster.Node) {
	again, err := r.c.Start(r.ctx, r.config(n.Name))
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n == r.a {
		r.campaign.a = again
		return
	}
	r.campaign.b = again
	r.wire.Redirect(again.Address)
}

// checkEnd checks a VM that has ended: its output, its status, and that nothing is left.
func (r *round) checkEnd(name string, mayBeLost bool) (lost bool) {
	r.t.Helper()
	v, err := r.a.Inspect(r.ctx, name)
	check(r.t, err)
	log := r.ctl(r.a, "logs", name).Stdout
	switch {
	case v.State == "exited" && v.Exit != nil && v.Exit.Code == 42 && log == r.want:
	case v.State == "lost" && mayBeLost && strings.HasPrefix(r.want, log):
		lost = true
	default:
		r.t.Errorf("it is %s, exit %+v, note %q; its log has %d bytes of %d, alike up to %d",
			v.State, v.Exit, v.Note, len(log), len(r.want), alike(log, r.want))
	}
	r.eventually("nothing is left behind", func() string {
		var left []string
		for _, p := range r.processes() {
			if !strings.HasPrefix(p.Dir, "spare-") {
				left = append(left, fmt.Sprintf("process %d of %s: %s", p.PID, p.Node, p.Dir))
			}
		}
		for _, pattern := range []string{"*/state/vms/[0-9a-f]*-*", "*/state/images/incoming-*", "b/state/logs/*"} {
			files, err := filepath.Glob(filepath.Join(r.c.Dir(), pattern))
			check(r.t, err)
			left = append(left, files...)
		}
		var there []cluster.VM
		check(r.t, r.b.JSON(r.ctx, &there, "ps", "--all"))
		for _, v := range there {
			left = append(left, fmt.Sprintf("record of %s at b: %s", v.Name, v.State))
		}
		return strings.Join(left, "\n")
	})
	return lost
}

// eventually waits until what is wrong is nothing.
func (r *round) eventually(what string, wrong func() string) {
	r.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		bad := wrong()
		if bad == "" {
			return
		}
		if time.Now().After(end) {
			r.t.Errorf("%s: not within %v:\n%s", what, patience, bad)
			return
		}
	}
}

// ctl runs migratectl, whatever comes of it.
func (r *round) ctl(n *cluster.Node, args ...string) cluster.Result {
	r.t.Helper()
	result, err := n.Ctl(r.ctx, args...)
	check(r.t, err)
	return result
}

// must is ctl that succeeds.
func (r *round) must(n *cluster.Node, args ...string) {
	r.t.Helper()
	if result := r.ctl(n, args...); result.Code != 0 {
		r.t.Fatalf("migratectl %q: status %d: %s", args, result.Code, result.Stderr)
	}
}

func alike(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func lastLine(s string) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return all[len(all)-1]
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
