package node

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// survive has a node's VMs go on when it stops, as processes do.
func (n *testNode) survive() {
	n.faults.set(func(f *faults) { f.survive = true })
	n.t.Cleanup(func() {
		n.faults.mu.Lock()
		defer n.faults.mu.Unlock()
		for _, vm := range n.faults.left {
			vm.Close()
		}
	})
}

// restart ends a daemon and starts the next one.
func (n *testNode) restart() {
	n.t.Helper()
	n.stop()
	n.start()
}

// A VM goes on over a restart of its daemon, and nothing that it prints is lost.
func TestTakenOver(t *testing.T) {
	server, _ := pair(t, false)
	server.survive()
	server.run("job", "count", "600")
	server.restart()
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_RUNNING && rec.State != pb.VMState_VM_STATE_EXITED {
		t.Errorf("after a restart it is %v: %s", rec.State, rec.Note)
	}
	if end := server.wait("job"); end.Exit.GetCode() != 42 {
		t.Errorf("it ended with %v", end.Exit)
	}
	if got, want := server.logs("job", true), countOutput(600); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
}

// Whoever types goes on over a restart of the daemon: all of it arrives once, wherever the
// program is, whatever the first daemon had not passed on.
func TestInputOverRestart(t *testing.T) {
	for _, away := range []bool{false, true} {
		server, board := pair(t, false)
		server.survive()
		vm, err := server.tryRun(&pb.RunSpec{Name: "job", Args: []string{"cat"}, Input: true})
		if err != nil {
			t.Fatal(err)
		}
		first := attach(t, server, vm.Id)
		say := func(a *attached, offset int64, text string, eof bool) {
			t.Helper()
			if err := a.stream.Send(&pb.AttachRequest{Offset: offset, Data: []byte(text), Eof: eof}); err != nil {
				t.Fatal(err)
			}
		}
		say(first, 0, "one\n", false)
		server.eventually("it is echoed", func() bool { return first.text() == "one\n" })
		if away {
			server.move("job", "board")
		}
		first.lost.Store(true)
		server.restart()
		server.awaitLink("board")
		second := attach(t, server, vm.Id)
		if at := <-second.accepted; at != 4 {
			t.Errorf("away %v: the program has %d bytes of input, want 4", away, at)
		}
		say(second, 2, "e\ntwo\n", true)
		if end := <-second.ended; end.Exit.GetCode() != 8 {
			t.Errorf("away %v: it ended with %v", away, end.Exit)
		}
		if got := second.text(); got != "one\ntwo\n" {
			t.Errorf("away %v: it printed %q", away, got)
		}
		board.checkNothingLeft()
	}
}

// How a program ended while no daemon was there is told by the next one.
func TestEndedWithoutDaemon(t *testing.T) {
	server, _ := pair(t, false)
	server.survive()
	vm := server.run("job", "count", "30")
	server.stop()
	server.faults.mu.Lock()
	guest := server.faults.left[vmproc.Left{ID: vm.Id}]
	server.faults.mu.Unlock()
	<-guest.Done()
	server.start()
	if end := server.wait("job"); end.Exit.GetCode() != 42 {
		t.Errorf("it ended with %v", end.Exit)
	}
	if got, want := server.logs("job", false), countOutput(30); got != want {
		t.Errorf("log has %d bytes, want %d", len(got), len(want))
	}
}

// A daemon that ends in the middle of a move calls it off; the VM goes on, and the next daemon
// can move it.
func TestRestartBeforeCommit(t *testing.T) {
	for _, phase := range beforeCommit {
		t.Run(phase.String(), func(t *testing.T) {
			server, board := pair(t, true)
			server.survive()
			server.run("job", "count", "600")
			reached, stopped := make(chan struct{}), make(chan struct{})
			server.atPhase(phase, func() { close(reached); <-stopped })
			moved := make(chan error, 1)
			go func() {
				_, err := server.tryMove("job", "board")
				moved <- err
			}()
			<-reached
			// The move is in the middle of a step: the daemon's end waits for it.
			go func() { <-server.ctx.Done(); close(stopped) }()
			server.restart()
			if err := <-moved; err == nil {
				t.Error("a move of a daemon that ended succeeded")
			}
			server.awaitLink("board")
			board.checkNothingLeft()
			if rec := server.inspect("job"); over(rec.State) && rec.Exit == nil {
				t.Errorf("after the restart it is %v: %s", rec.State, rec.Note)
			}
			server.checkGoesOn("job", faultLines)
		})
	}
}

// A daemon that ends after the commitment keeps the VM at rest until the target has said that
// it runs there, or that it does not.
func TestRestartAfterCommit(t *testing.T) {
	for _, started := range []bool{true, false} {
		server, board, p := proxied(t)
		server.survive()
		server.run("job", "count", "600")
		if !started {
			board.faults.set(func(f *faults) { f.startErr = errNoCPU })
		}
		server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() { p.setCut(true) })
		if _, err := server.tryMove("job", "board"); status.Code(err) != codes.Unavailable {
			t.Errorf("move in doubt: %v", err)
		}
		server.restart()
		if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_MOVING || rec.Exit != nil {
			t.Errorf("in doubt it is %v: %s", rec.State, rec.Note)
		}
		p.setCut(false)
		end := server.wait("job")
		node := map[bool]string{true: "board", false: "server"}[started]
		if end.Exit.GetCode() != 42 || end.Node != node {
			t.Errorf("started %v: it ended with %v on %s", started, end.Exit, end.Node)
		}
		if got, want := server.logs("job", false), countOutput(600); got != want {
			t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
		}
		board.checkNothingLeft()
	}
}

// A VM whose node never returns can be given up; if that returns all the same, what still runs
// there is ended.
func TestForget(t *testing.T) {
	server, board, p := proxied(t)
	vm := server.run("job", "idle")
	server.move("job", "board")
	if _, err := server.client.Forget(t.Context(), &pb.VMRequest{Vm: "job"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("given up while its node is connected: %v", err)
	}
	p.setCut(true)
	server.eventually("the link is gone", func() bool { _, err := server.hub.Link("board"); return err != nil })
	rec, err := server.client.Forget(t.Context(), &pb.VMRequest{Vm: "job"})
	if err != nil {
		t.Fatal(err)
	}
	if rec.State != pb.VMState_VM_STATE_LOST || !strings.Contains(rec.Note, "board") {
		t.Errorf("given up, it is %v: %s", rec.State, rec.Note)
	}
	server.logs("job", true)  // ends
	server.run("job", "idle") // its name is free
	if board.here(vm.Id) == nil {
		t.Fatal("it does not run there any more: nothing is tested")
	}
	server.restart()
	p.setCut(false)
	board.eventually("it is ended there", func() bool { return board.here(vm.Id) == nil })
	board.eventually("it is forgotten there", func() bool { return len(board.list(true)) == 0 })
	if _, err := server.client.Forget(t.Context(), &pb.VMRequest{Vm: vm.Id}); err != nil {
		t.Error(err)
	}
	if _, err := server.client.Inspect(t.Context(), &pb.VMRequest{Vm: vm.Id}); status.Code(err) != codes.NotFound {
		t.Errorf("the record of one that has ended, forgotten: %v", err)
	}

}

// here returns the guest of a VM, or nil.
func (n *testNode) here(id string) any {
	n.mu.Lock()
	vm := n.vms[id]
	n.mu.Unlock()
	if vm == nil || vm.here() == nil {
		return nil
	}
	return vm
}

// What a target had of a VM that was arriving is gone after a restart, its log included.
func TestRestartWhileArriving(t *testing.T) {
	server, board := pair(t, true)
	vm := server.run("job", "count", "600")
	server.atPhase(pb.MovePhase_MOVE_PHASE_TRANSFER, func() {
		dir := filepath.Join(board.cfg.StateDir, "logs", vm.Id)
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("it does not arrive: %v", err)
		}
		board.stop()
		if err := os.MkdirAll(dir, 0o700); err != nil { // as if the daemon had been killed
			t.Error(err)
		}
		board.start()
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	})
	if _, err := server.tryMove("job", "board"); err == nil {
		t.Error("moved to a node that had restarted")
	}
	server.checkGoesOn("job", faultLines)
}

// A host whose home was cut off, or restarted, before it could say that it has all of a stay's
// log hears it afterwards, and keeps nothing.
func TestReleasedLate(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		server, board, p := proxied(t)
		server.survive()
		cut := make(chan struct{})
		var once sync.Once
		server.Node.cfg.releasing = func() {
			once.Do(func() {
				p.setCut(true)
				server.eventually("the link is gone", func() bool { _, err := server.hub.Link("board"); return err != nil })
				close(cut)
			})
		}
		server.run("job", "count", "600")
		server.move("job", "board")
		_, _ = server.tryMove("job", "") // the link may be gone before it has heard of the end
		<-cut
		if restarted {
			server.restart()
		}
		if rec := server.inspect("job"); len(rec.Stays) != 3 || !server.logComplete(rec.Id, 1) {
			t.Fatalf("restarted %v: it was cut too early: %d stays", restarted, len(rec.Stays))
		}
		p.setCut(false)
		board.checkNothingLeft()
		server.eventually("it is known", func() bool { return server.inspect("job").Stays[1].Released })
		server.checkGoesOn("job", 600)
	}
}

// logComplete says whether the node has all of a stay's log.
func (n *testNode) logComplete(id string, generation uint32) bool {
	vm, err := n.byID(id)
	return err == nil && vm.log.Complete(generation)
}
