package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/migrated/migrated/testbed/cluster"
)

// A peril is what becomes of the other side in the middle of a transfer.
type peril struct {
	name   string
	strike func(*cluster.Wire, *cluster.Node)
	mend   func(*testing.T, *cluster.Wire, *cluster.Node) *cluster.Node
}

// Whatever happens to the other side while memory is on its way, the VM goes on where it
// was, offload says why, and when the other side is back the VM can be moved there.
func TestMoveFails(t *testing.T) {
	f, ctx := begun(t)
	restart := func(t *testing.T, w *cluster.Wire, n *cluster.Node) *cluster.Node {
		t.Helper()
		again, err := f.Start(ctx, cluster.NodeConfig{Name: n.Name})
		check(t, err)
		t.Cleanup(again.Stop)
		w.Redirect(again.Address)
		return again
	}
	for _, p := range []peril{
		{
			name:   "killed",
			strike: func(_ *cluster.Wire, n *cluster.Node) { n.Kill() },
			mend:   restart,
		},
		{
			name:   "frozen",
			strike: func(_ *cluster.Wire, n *cluster.Node) { _ = n.Freeze() },
			mend: func(t *testing.T, _ *cluster.Wire, n *cluster.Node) *cluster.Node {
				check(t, n.Thaw())
				return n
			},
		},
		{
			name:   "cut",
			strike: func(w *cluster.Wire, _ *cluster.Node) { w.Cut() },
			mend: func(_ *testing.T, w *cluster.Wire, n *cluster.Node) *cluster.Node {
				w.Mend()
				return n
			},
		},
	} {
		t.Run(p.name, func(t *testing.T) {
			target := f.start(t, ctx, cluster.NodeConfig{Name: "target-" + p.name})
			w, err := cluster.NewWire(target.Address)
			check(t, err)
			t.Cleanup(w.Close)
			source := f.start(t, ctx, cluster.NodeConfig{
				Name: "source-" + p.name, Peers: []cluster.Peer{{Name: target.Name, Address: w.Address()}},
				// As short as leaves a slow machine's pauses out.
				Config: "[move]\nstall_timeout = \"3s\"\n",
			})
			check(t, source.AwaitPeer(ctx, target.Name))

			const mib = 16
			v := f.fill(t, ctx, source, p.name, mib)
			// Half of the memory, which halves when it is compressed. Near its end the target may
			// be ready already: if it freezes then, the move is in doubt.
			w.After(mib<<20/4, func() { p.strike(w, target) })
			refused(t, ctx, source, 1, target.Name, "offload", v.name, "--to", target.Name)
			v.at("running", source.Name)
			v.verify(mib, 1)

			target = p.mend(t, w, target)
			check(t, source.AwaitPeer(ctx, target.Name))
			if out := ctl(t, ctx, target, "ps"); strings.Contains(out, "running") {
				t.Errorf("the target runs it too:\n%s", out)
			}
			v.offload(target.Name)
			v.at("away", target.Name)
			v.verify(mib, 2)
			v.Stdin.Close()
			v.end(0)
		})
	}
}

// A board that loses its power in the middle of a move leaves the VM where it was. One that
// was there already is gone, and its home says so.
func TestBoardDies(t *testing.T) {
	f, ctx := begun(t)
	b, err := f.Boot(ctx, 0)
	check(t, err)
	t.Cleanup(b.Kill)
	doomed, err := b.Start(ctx, cluster.NodeConfig{Name: "doomed"})
	check(t, err)
	f.showLogs(t, doomed)
	w, err := cluster.NewWire(doomed.Address)
	check(t, err)
	t.Cleanup(w.Close)
	source := f.start(t, ctx, cluster.NodeConfig{Name: "bereft", Peers: []cluster.Peer{{Name: "doomed", Address: w.Address()}}})
	check(t, source.AwaitPeer(ctx, "doomed"))

	lost := f.run(t, ctx, source, "lost", "reading", "read")
	lost.offload("doomed")
	const mib = 16
	v := f.fill(t, ctx, source, "survivor", mib)
	w.After(mib<<20/2, b.Kill)
	refused(t, ctx, source, 1, "doomed", "offload", v.name, "--to", "doomed")
	v.at("running", "bereft")
	v.verify(mib, 1)
	v.Stdin.Close()
	v.end(0)
	select {
	case <-b.Done():
	default:
		t.Error("the board still runs: nothing has struck it")
	}
	refused(t, ctx, source, 1, "doomed", "recall", lost.name)
}

// Ctrl-C during offload calls the move off.
func TestOffloadInterrupted(t *testing.T) {
	f, ctx := begun(t)
	target := f.start(t, ctx, cluster.NodeConfig{Name: "aloof"})
	w, err := cluster.NewWire(target.Address)
	check(t, err)
	t.Cleanup(w.Close)
	source := f.start(t, ctx, cluster.NodeConfig{Name: "patient", Peers: []cluster.Peer{{Name: "aloof", Address: w.Address()}}})
	check(t, source.AwaitPeer(ctx, "aloof"))
	const mib = 16
	v := f.fill(t, ctx, source, "hesitant", mib)
	reached, ended := make(chan struct{}), make(chan struct{})
	w.After(mib<<20/2, func() {
		close(reached)
		<-ended // nothing more passes while the move is under way
	})
	offload, err := source.Session("offload", v.name, "--to", "aloof")
	check(t, err)
	t.Cleanup(offload.Kill)
	select {
	case <-reached:
	case <-ctx.Done():
		t.Fatal("the transfer did not begin")
	}
	v.at("moving", "patient")
	check(t, offload.Signal(syscall.SIGINT))
	r, err := offload.Wait(ctx)
	close(ended)
	check(t, err)
	if r.Code != 1 {
		t.Errorf("offload ended with status %d: %s", r.Code, r.Stderr)
	}
	v.verify(mib, 1) // it waits for input again, so it runs
	v.at("running", "patient")
	v.Stdin.Close()
	v.end(0)
}
