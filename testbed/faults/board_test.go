package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm/kvm/kvmtest"
)

// moveModes are the ways of moving, in turn.
var moveModes = []string{"stop", "precopy", "postcopy", "hybrid", "auto"}

// TestBoardDies kills the emulated board, which never comes back, at a random moment of moves to it
// and from it. What is left at home is the VM, whole, or word of where it was: then it is given up.
func TestBoardDies(t *testing.T) {
	n := *rounds
	if n == 0 && os.Getenv("MIGRATED_LONG") != "" {
		n = 10
	}
	if n == 0 {
		t.Skip("a board is booted for each round: MIGRATED_LONG or -rounds has them")
	}
	kvmtest.Need(t)
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	f := startHome(t)
	results := map[string]int{}
	for i := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		mode := moveModes[i%len(moveModes)]
		ok := t.Run(fmt.Sprintf("%d %s", i, mode), func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 8*patience, fmt.Errorf("round %d takes too long", i))
			defer cancel()
			r := &round{campaign: f, t: t, ctx: ctx, rng: rng, recall: rng.IntN(2) == 1}
			results[r.boardDies(i, mode)]++
		})
		if !ok {
			t.Fatalf("seed %d: stopped at round %d; log of home:\n%s", seed, i, f.a.Log())
		}
	}
	t.Logf("seed %d, %d rounds: %v", seed, n, results)
}

// startHome starts the node that stays, and sees what the program prints.
func startHome(t *testing.T) *campaign {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	f := newCampaign(t, ctx, toolchain.OnePerISA)
	var err error
	f.a, err = f.c.Start(ctx, cluster.NodeConfig{Name: "home", Config: "[move]\ndoubt_timeout = \"2s\"\n"})
	check(t, err)
	(&round{campaign: f, t: t, ctx: ctx}).reference(boardLines)
	return f
}

const (
	boardLines = 3000    // that the program prints: a move to a board takes seconds
	boardBytes = 5 << 19 // about what a move of it carries
)

// boardDies boots a board, kills it in a move, and checks what came of that.
func (r *round) boardDies(i int, mode string) (result string) {
	home, name := r.a, fmt.Sprintf("board%d", i)
	b, err := r.c.Boot(r.ctx, 0)
	check(r.t, err)
	defer b.Kill()
	w, err := cluster.NewWire(home.Address)
	check(r.t, err)
	defer w.Close()
	_, err = b.Start(r.ctx, cluster.NodeConfig{Name: name, Peers: []cluster.Peer{{Name: home.Name, Address: w.Address()}}})
	check(r.t, err)
	check(r.t, home.AwaitPeer(r.ctx, name))

	rests, mover := fmt.Sprintf("rests%d", i), fmt.Sprintf("moves%d", i)
	r.must(home, "run", "-d", "--name", rests, r.image, "--", "1000000")
	r.must(home, "offload", rests, "--to", name)
	r.must(home, "run", "-d", "--name", mover, r.image, "--", fmt.Sprint(boardLines))
	move := []string{"offload", mover, "--to", name, "--mode", mode}
	if r.recall {
		r.must(home, "offload", mover, "--to", name)
		move = []string{"recall", mover, "--mode", mode}
	}
	at := moment(r.rng, boardBytes)
	w.After(at, b.Kill)
	moved := r.ctl(home, move...)
	b.Kill() // where nothing has struck it yet
	<-b.Done()
	r.eventually("home sees that it is gone", func() string {
		var nodes []struct{ Name, State string }
		check(r.t, home.JSON(r.ctx, &nodes, "nodes"))
		for _, n := range nodes {
			if n.Name == name && n.State == "connected" {
				return "it is connected"
			}
		}
		return ""
	})
	v, err := home.Inspect(r.ctx, mover)
	check(r.t, err)
	r.t.Logf("killed at byte %d, recall %v: status %d, %s; it is %s on %s: %s", at, r.recall, moved.Code, lastLine(moved.Stderr), v.State, v.Node, v.Note)
	result = r.seeThrough(home, v, moved)
	r.giveUp(home, rests)
	r.eventually("nothing is left behind", func() string {
		var left []string
		for _, p := range r.processes() {
			if !strings.HasPrefix(p.Dir, "spare-") {
				left = append(left, fmt.Sprintf("process %d of %s: %s", p.PID, p.Node, p.Dir))
			}
		}
		dirs, err := filepath.Glob(filepath.Join(r.c.Dir(), "home/state/vms/[0-9a-f]*-*"))
		check(r.t, err)
		return strings.Join(append(left, dirs...), "\n")
	})
	return result
}

// seeThrough brings a VM to its end that is where ps says, or was.
func (r *round) seeThrough(home *cluster.Node, v *cluster.VM, moved cluster.Result) string {
	switch v.State {
	case "running", "exited":
		if v.Node != home.Name {
			r.t.Errorf("it is %s on %s, which is gone", v.State, v.Node)
		}
		if moved.Code == 0 && !r.recall {
			r.t.Error("moved, and still here")
		}
		if strings.Contains(v.Note, "depends on") { // it waits for memory that is lost
			r.must(home, "stop", v.Name, "--grace", "0s")
			r.checkPrefix(home, v.Name)
			return "stopped, memory lost"
		}
		r.ctl(home, "wait", v.Name)
		end, err := home.Inspect(r.ctx, v.Name)
		check(r.t, err)
		if log := r.ctl(home, "logs", v.Name).Stdout; end.State != "exited" || end.Exit == nil || end.Exit.Code != 42 || log != r.want {
			r.t.Errorf("it is %s, exit %+v, note %q; its log has %d bytes of %d, alike up to %d",
				end.State, end.Exit, end.Note, len(log), len(r.want), alike(log, r.want))
		}
		return "went on"
	case "moving": // nobody knows whether the board had started it
		if moved.Code == 0 || !strings.Contains(moved.Stderr, "in doubt") {
			r.t.Errorf("in doubt, status %d: %s", moved.Code, moved.Stderr)
		}
		r.giveUp(home, v.Name)
		return "in doubt"
	case "away":
		r.giveUp(home, v.Name)
		return "away"
	}
	r.t.Errorf("it is %s on %s: %s", v.State, v.Node, v.Note)
	return v.State
}

// giveUp gives up a VM whose node is gone.
func (r *round) giveUp(home *cluster.Node, name string) {
	r.t.Helper()
	r.must(home, "forget", name)
	v, err := home.Inspect(r.ctx, name)
	check(r.t, err)
	if v.State != "lost" || v.Exit != nil {
		r.t.Errorf("given up, %s is %s, exit %+v", name, v.State, v.Exit)
	}
	if strings.HasPrefix(name, "moves") {
		r.checkPrefix(home, name)
	}
}

// checkPrefix checks that what a VM printed is what it would have.
func (r *round) checkPrefix(home *cluster.Node, name string) {
	r.t.Helper()
	if log := r.ctl(home, "logs", name).Stdout; !strings.HasPrefix(r.want, log) {
		r.t.Errorf("its log has %d bytes, alike up to %d", len(log), alike(log, r.want))
	}
}
