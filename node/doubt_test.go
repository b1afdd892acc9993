package node

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A target whose machine is gone while memory follows: whoever asked for the move is told after a
// while, the VM stays the target's, and its home can give it up. Nothing of it is left then, and
// should the target come back, what is there is ended.
func TestTargetGoneWhileFilling(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		server, board, p := proxied(t)
		server.survive()
		board.survive()
		begun, hold := make(chan struct{}), make(chan struct{})
		board.faults.set(func(f *faults) {
			f.filling = func(s vmproc.Streams) vmproc.Streams { return &holding{s, begun, hold} }
		})
		vm := server.run("job", "count", "600")
		moved := make(chan error, 1)
		go func() {
			_, err := server.postCopy("job", "board")
			moved <- err
		}()
		server.eventually("it is at the board", func() bool { return server.inspect("job").DependsOn == "server" })
		p.setCut(true)
		board.stop()
		err := <-moved
		if status.Code(err) != codes.Unavailable {
			t.Errorf("moved: %v", err)
		}
		for _, part := range []string{"in doubt", "board has been out of sight", "away on board", "lost", "migratectl forget job"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("what the operator hears lacks %q: %v", part, err)
			}
		}
		if restarted {
			server.restart()
		}
		server.checkAway("job")
		if rec := server.inspect("job"); !restarted && !strings.Contains(rec.Note, "board is out of sight") {
			t.Errorf("its note is %q", rec.Note)
		}
		server.giveUp("job", vm.Id)
		p.setCut(false)
		board.start()
		board.eventually("it is ended there", func() bool { return board.here(vm.Id) == nil })
		board.checkNothingLeft()
	}
}

// A target that is gone when it is asked to start: the VM may be there, so it does not go on here.
// Its home can give it up, and then it runs nowhere, whatever the target knows when it comes back.
func TestTargetGoneAfterCommit(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		server, board, p := proxied(t)
		server.survive()
		board.survive()
		vm := server.run("job", "count", "600")
		server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() { p.setCut(true) })
		_, err := server.tryMove("job", "board")
		for _, part := range []string{"in doubt", "board took the VM and does not say", "never both", "moving", "migratectl forget job"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("what the operator hears lacks %q: %v", part, err)
			}
		}
		if restarted {
			server.restart()
		}
		if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_MOVING || rec.MovingTo != "board" {
			t.Errorf("restarted %v: it is %v, moving to %q", restarted, rec.State, rec.MovingTo)
		}
		server.giveUp("job", vm.Id)
		p.setCut(false)
		server.awaitLink("board")
		board.eventually("it is nowhere", func() bool {
			board.mu.Lock()
			defer board.mu.Unlock()
			return len(board.targets) == 0 && (board.vms[vm.Id] == nil || board.vms[vm.Id].here() == nil)
		})
		board.checkNothingLeft()
		if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_LOST {
			t.Errorf("restarted %v: given up, it is %v: %s", restarted, rec.State, rec.Note)
		}
	}
}

// A VM on its way home whose source is gone for good when all of it is here: its home, which waits for
// the source's word, can give it up, and keeps nothing of it.
func TestSourceGoneAfterReady(t *testing.T) {
	server, board, p := proxied(t)
	board.survive()
	vm := server.run("job", "idle")
	server.move("job", "board")
	board.atPhase(pb.MovePhase_MOVE_PHASE_START, func() { p.setCut(true) })
	if _, err := server.tryMove("job", ""); err == nil || !strings.Contains(err.Error(), "board, from where the VM was to be moved, is out of sight") {
		t.Errorf("recalled over a link that is cut: %v", err)
	}
	board.stop()
	server.eventually("the link is gone", func() bool { _, err := server.hub.Link("board"); return err != nil })
	server.checkAway("job")
	if rec, err := server.client.Forget(t.Context(), &pb.VMRequest{Vm: "job"}); err != nil || rec.State != pb.VMState_VM_STATE_LOST {
		t.Errorf("given up: %v, %v", rec.GetState(), err)
	}
	server.eventually("nothing of it is left", func() bool { return len(server.incoming()) == 0 && server.granted() == nil })
	p.setCut(false)
	board.start()
	board.eventually("it is ended there", func() bool { return board.here(vm.Id) == nil })
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_LOST {
		t.Errorf("its home says %v", rec.State)
	}
}

// A move whose outcome is not open is not given up.
func TestForgetWhileMoving(t *testing.T) {
	server, _ := pair(t, false)
	server.run("job", "count", "600")
	server.atPhase(pb.MovePhase_MOVE_PHASE_TRANSFER, func() {
		if _, err := server.client.Forget(t.Context(), &pb.VMRequest{Vm: "job"}); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("given up in the middle of a move: %v", err)
		}
	})
	server.move("job", "board")
	server.wait("job")
}

// checkAway checks that a VM is the board's.
func (n *testNode) checkAway(vm string) {
	n.t.Helper()
	if rec := n.inspect(vm); rec.State != pb.VMState_VM_STATE_AWAY || rec.Node != "board" {
		n.t.Errorf("it is %v on %s: %s", rec.State, rec.Node, rec.Note)
	}
}

// giveUp gives a VM up whose node is out of sight, and checks that nothing of it is left here.
func (n *testNode) giveUp(vm, id string) {
	n.t.Helper()
	rec, err := n.client.Forget(n.t.Context(), &pb.VMRequest{Vm: vm})
	if err != nil {
		n.t.Fatal(err)
	}
	if rec.State != pb.VMState_VM_STATE_LOST || rec.Node != "board" || !strings.Contains(rec.Note, "if board comes back") {
		n.t.Errorf("given up, it is %v on %s: %s", rec.State, rec.Node, rec.Note)
	}
	n.eventually("nothing of it is left", func() bool {
		h, err := n.store.Handovers()
		n.mu.Lock()
		served := len(n.served)
		n.mu.Unlock()
		return err == nil && len(h) == 0 && served == 0 && n.here(id) == nil && n.granted() == nil
	})
}
