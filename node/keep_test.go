package node

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// keeping is a pair whose nodes keep so much memory of VMs that have left.
func keeping(t *testing.T, limit uint64) (server, board *testNode) {
	t.Helper()
	server, board = pair(t, false)
	for _, n := range []*testNode{server, board} {
		n.cfg.KeepMemory = limit
		n.Apply(n.cfg.Settings)
	}
	return server, board
}

// keeps waits until a node keeps the memory of so many VMs.
func (n *testNode) keeps(vms int) {
	n.t.Helper()
	n.eventually("memory kept", func() bool {
		bytes, kept := n.kept.sums()
		return kept == vms && (bytes > 0) == (vms > 0)
	})
}

const jobMemory = 4 << 20

// idle starts a VM that does nothing.
func (n *testNode) idle(name string) *pb.VM {
	n.t.Helper()
	vm, err := n.tryRun(&pb.RunSpec{Name: name, Args: []string{"idle"}, Memory: jobMemory})
	if err != nil {
		n.t.Fatal(err)
	}
	return vm
}

func (n *testNode) end(vm string) {
	n.t.Helper()
	if _, err := n.client.Stop(n.t.Context(), &pb.StopRequest{Vm: vm, Grace: durationpb.New(time.Second)}); err != nil {
		n.t.Fatal(err)
	}
	n.wait(vm)
}

// A VM that goes to and fro moves what has changed, and when it ends nothing is kept of it.
func TestReturn(t *testing.T) {
	server, board := keeping(t, 1<<30)
	server.idle("job")
	first := server.move("job", "board")
	server.keeps(1)
	for range 2 {
		back := server.move("job", "")
		board.keeps(1)
		server.keeps(0)
		if m := back.Memory; m.Base == 0 || m.WireBytes > first.Memory.WireBytes/50 {
			t.Errorf("first %v\nreturn %v", first.Memory, m)
		}
		again := server.move("job", "board")
		server.keeps(1)
		board.keeps(0)
		if m := again.Memory; m.Base == 0 || m.WireBytes > first.Memory.WireBytes/50 {
			t.Errorf("first %v\nagain %v", first.Memory, m)
		}
	}
	server.move("job", "")
	board.keeps(1)
	server.end("job")
	board.keeps(0)
	server.keeps(0)
	board.checkNothingLeft()
}

// What ends at the other node is kept nowhere either.
func TestEndsWhereItIs(t *testing.T) {
	server, board := keeping(t, 1<<30)
	server.run("job", "count", "300")
	server.move("job", "board")
	server.wait("job")
	server.keeps(0)
	board.keeps(0)
	if got, want := server.logs("job", false), countOutput(300); got != want {
		t.Errorf("log has %d bytes, want %d", len(got), len(want))
	}
}

// No more is kept than the limit says; the oldest goes first, and a lower limit counts at once.
func TestKeepLimit(t *testing.T) {
	server, _ := keeping(t, 2*jobMemory)
	for _, name := range []string{"one", "two", "three"} {
		server.idle(name)
		server.move(name, "board")
	}
	server.keeps(2)
	if m := server.move("one", "").Memory; m.Base != 0 {
		t.Errorf("the oldest was kept: %v", m)
	}
	if m := server.move("two", "").Memory; m.Base == 0 {
		t.Errorf("the second was not kept: %v", m)
	}
	server.keeps(1)
	server.cfg.KeepMemory = jobMemory - 1
	server.Apply(server.cfg.Settings)
	server.keeps(0)
	if server.move("one", "board"); server.kept.enabled() {
		server.keeps(0) // it is more than may be kept
	}
}

// A VM that needs the room gets it.
func TestKeptMemoryGivesWay(t *testing.T) {
	server, _ := keeping(t, 1<<30)
	server.idle("old")
	server.move("old", "board")
	server.keeps(1)
	server.memory.set(headroom + jobMemory/2)
	_, err := server.tryRun(&pb.RunSpec{Name: "new", Args: []string{"idle"}, Memory: jobMemory})
	if code := status.Code(err); code != codes.ResourceExhausted {
		t.Errorf("the test's machine has no more memory for it: %v", err)
	}
	server.keeps(0)
}

// A daemon that ends keeps nothing.
func TestKeepsNothingWhenItEnds(t *testing.T) {
	server, board := keeping(t, 1<<30)
	server.idle("job")
	server.move("job", "board")
	server.keeps(1)
	kept := server.kept
	server.stop()
	if bytes, vms := kept.sums(); vms != 0 || bytes != 0 {
		t.Errorf("%d bytes of %d VMs are kept", bytes, vms)
	}
	server.start()
	server.awaitLink("board")
	board.awaitLink("server")
	server.move("job", "")
	server.end("job")
}

// A process that keeps memory and is killed leaves nothing behind, its directory neither.
func TestKeptIsKilled(t *testing.T) {
	server, _ := keeping(t, 1<<30)
	server.idle("job")
	server.move("job", "board")
	server.keeps(1)
	server.kept.mu.Lock()
	memory := server.kept.all[0].memory.(*fakeKept)
	server.kept.mu.Unlock()
	memory.die()
	select {
	case <-memory.freed:
	case <-time.After(patience):
		t.Error("what it leaves is not freed")
	}
	server.keeps(0)
	server.end("job")
}

// Only a VM's home says that it has ended.
func TestUnkeepByAStranger(t *testing.T) {
	server, board := keeping(t, 1<<30)
	vm := server.idle("job")
	server.move("job", "board")
	server.keeps(1)
	_, err := board.awaitLink("server").Client().Unkeep(t.Context(), &pb.UnkeepRequest{Vm: vm.Id})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("error %v", err)
	}
	server.keeps(1)
	server.end("job")
}

// A VM that ends at its home while the node that it came from still serves its memory, and has
// forgotten all else of it, is not kept there.
func TestEndedWhileServed(t *testing.T) {
	server, board := keeping(t, 1<<30)
	begun, hold := make(chan struct{}), make(chan struct{})
	server.run("job", "idle")
	server.move("job", "board")
	server.faults.set(func(f *faults) {
		f.filling = func(s vmproc.Streams) vmproc.Streams { return &holding{s, begun, hold} }
	})
	done := make(chan error, 1)
	go func() {
		stream, err := server.client.Recall(t.Context(), &pb.RecallRequest{
			Vm: "job", Options: &pb.MoveOptions{Kind: pb.MoveKind_MOVE_KIND_POSTCOPY},
		})
		if err == nil {
			_, err = accountOf(stream)
		}
		done <- err
	}()
	server.eventually("it is here, and needs the board", func() bool { return server.inspect("job").DependsOn == "board" })
	board.eventually("it is forgotten", func() bool { return len(board.list(true)) == 0 })
	server.end("job")
	close(hold)
	<-done
	board.eventually("nothing is served", func() bool {
		h, err := board.store.Handovers()
		return err == nil && !slices.ContainsFunc(h, func(h *pb.Handover) bool { return h.State == pb.HandoverState_HANDOVER_STATE_COMMITTED })
	})
	board.keeps(0)
}

// A VM that ends while it is on its way back has nothing kept, though what was kept before was
// lent to its arrival at that moment.
func TestEndsOnItsWayBack(t *testing.T) {
	server, board := keeping(t, 1<<30)
	vm := server.idle("job")
	server.move("job", "board")
	server.keeps(1)
	lent := make(chan struct{})
	server.faults.set(func(f *faults) {
		f.keeping = func() {
			close(lent)
			server.eventually("it has ended, and all know", func() bool { return server.inspect("job").Stays[1].Released })
		}
	})
	board.faults.set(func(f *faults) { f.neverLeft = true })
	board.atPhase(pb.MovePhase_MOVE_PHASE_QUIESCE, func() {
		board.here(vm.Id).(*VM).here().(*fakeVM).finish(&pb.Exit{})
	})
	if _, err := server.tryMove("job", ""); err == nil {
		t.Fatal("it left all the same")
	}
	<-lent
	server.eventually("it is back, or given up", func() bool {
		server.kept.mu.Lock()
		defer server.kept.mu.Unlock()
		return len(server.kept.out) == 0
	})
	server.keeps(0)
}

// A move back that fails is tried again at the price of the first.
func TestFailedReturn(t *testing.T) {
	server, board := keeping(t, 1<<30)
	server.idle("job")
	server.move("job", "board")
	server.keeps(1)
	board.faults.set(func(f *faults) { f.neverLeft = true })
	if _, err := server.tryMove("job", ""); err == nil {
		t.Fatal("it left all the same")
	}
	server.keeps(1)
	board.faults.set(func(f *faults) { f.neverLeft = false })
	if m := server.move("job", "").Memory; m.Base == 0 {
		t.Errorf("nothing was there: %v", m)
	}
	server.end("job")
}
