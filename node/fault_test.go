package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/isa"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// atPhase calls f once, when a move from the node reaches a phase.
func (n *testNode) atPhase(phase pb.MovePhase, f func()) {
	n.Node.cfg.step = func(event *pb.MoveEvent) {
		if event.Phase == phase && f != nil {
			f()
			f = nil
		}
	}
}

// checkGoesOn checks that a VM is on the node, finishes there, and printed everything once.
func (n *testNode) checkGoesOn(vm string, lines int) {
	n.t.Helper()
	if rec := n.inspect(vm); rec.Node != n.cfg.Name ||
		rec.State != pb.VMState_VM_STATE_RUNNING && rec.State != pb.VMState_VM_STATE_EXITED {
		n.t.Errorf("after the failed move it is %v on %s", rec.State, rec.Node)
	}
	if end := n.wait(vm); end.Exit.GetCode() != 42 || end.Node != n.cfg.Name {
		n.t.Errorf("it ended with %v on %s", end.Exit, end.Node)
	}
	if got, want := n.logs(vm, false), countOutput(lines); got != want {
		n.t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
}

// checkNothingLeft checks that a node gave everything back that a failed move took.
func (n *testNode) checkNothingLeft() {
	n.t.Helper()
	n.eventually("everything is given back", func() bool {
		n.budget.mu.Lock()
		granted := n.budget.granted
		n.budget.mu.Unlock()
		n.mu.Lock()
		defer n.mu.Unlock()
		return granted == 0 && len(n.names) == 0 && len(n.vms) == 0
	})
}

const faultLines = 600

// beforeCommit are the phases in which any failure leaves the VM at the source.
var beforeCommit = []pb.MovePhase{
	pb.MovePhase_MOVE_PHASE_PREPARE, pb.MovePhase_MOVE_PHASE_QUIESCE,
	pb.MovePhase_MOVE_PHASE_TRANSFER, pb.MovePhase_MOVE_PHASE_VERIFY,
}

// TestCutBeforeCommit cuts the link in each phase in turn.
func TestCutBeforeCommit(t *testing.T) {
	for _, phase := range beforeCommit {
		t.Run(phase.String(), func(t *testing.T) {
			server, board, p := proxied(t)
			server.run("job", "count", "600")
			server.atPhase(phase, func() { p.setCut(true) })
			if _, err := server.tryMove("job", "board"); err == nil || !strings.Contains(err.Error(), "link to board was lost") {
				t.Errorf("move over a cut link: %v", err)
			}
			board.checkNothingLeft()
			server.checkGoesOn("job", faultLines)
			p.setCut(false)
			server.awaitLink("board")
		})
	}
}

// TestFreezeBeforeCommit stops the network from moving without closing anything.
func TestFreezeBeforeCommit(t *testing.T) {
	for _, phase := range beforeCommit {
		t.Run(phase.String(), func(t *testing.T) {
			t.Parallel()
			server, board, p := proxied(t)
			server.run("job", "count", "600")
			server.atPhase(phase, func() { p.freeze(true) })
			if _, err := server.tryMove("job", "board"); err == nil {
				t.Error("a move over a frozen link succeeded")
			}
			server.checkGoesOn("job", faultLines)
			p.freeze(false)
			board.checkNothingLeft()
		})
	}
}

// TestCutAfterCommit cuts the link when the source may no longer go on: the operator is told
// of the doubt, and when the link is back the VM runs, once, at the target.
func TestCutAfterCommit(t *testing.T) {
	server, board, p := proxied(t)
	server.run("job", "count", "600")
	server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() { p.setCut(true) })
	_, err := server.tryMove("job", "board")
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "does not say") {
		t.Errorf("move in doubt: %v", err)
	}
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_MOVING || rec.Note == "" {
		t.Errorf("in doubt it is %v, note %q", rec.State, rec.Note)
	}
	p.setCut(false)
	if end := server.wait("job"); end.Exit.GetCode() != 42 || end.Node != "board" {
		t.Errorf("it ended with %v on %s", end.Exit, end.Node)
	}
	if got, want := server.logs("job", false), countOutput(faultLines); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
	board.checkNothingLeft()
}

// TestSourceRestartsAfterCommit: a source that restarts while the outcome is open learns from
// its journal and from the target that the VM runs there, and follows it.
func TestSourceRestartsAfterCommit(t *testing.T) {
	server, board, p := proxied(t)
	server.run("job", "count", "600")
	server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() { p.setCut(true) })
	if _, err := server.tryMove("job", "board"); status.Code(err) != codes.Unavailable {
		t.Errorf("move in doubt: %v", err)
	}
	server.stop()
	server.start()
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_MOVING || rec.MovingTo != "board" {
		t.Errorf("before the target can be asked it is %v, moving to %q", rec.State, rec.MovingTo)
	}
	p.setCut(false)
	if end := server.wait("job"); end.Exit.GetCode() != 42 || end.Node != "board" {
		t.Errorf("it ended with %v on %s", end.Exit, end.Node)
	}
	if got, want := server.logs("job", true), countOutput(faultLines); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
	board.checkNothingLeft()
}

// TestTargetRestartsAfterCommit: a target that forgot a VM that it was ready for did not
// start it, so the source goes on.
func TestTargetRestartsAfterCommit(t *testing.T) {
	server, board, p := proxied(t)
	server.run("job", "count", "600")
	server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() {
		p.setCut(true)
		board.stop()
		board.start()
		p.setCut(false)
	})
	if _, err := server.tryMove("job", "board"); err == nil || !strings.Contains(err.Error(), "could not start it") {
		t.Errorf("move to a target that restarts: %v", err)
	}
	server.checkGoesOn("job", faultLines)
	board.checkNothingLeft()
}

// TestTargetDies ends the target's daemon in each phase before the commitment.
func TestTargetDies(t *testing.T) {
	for _, phase := range beforeCommit {
		t.Run(phase.String(), func(t *testing.T) {
			server, board := pair(t, false)
			server.run("job", "count", "600")
			server.atPhase(phase, board.stop)
			if _, err := server.tryMove("job", "board"); err == nil {
				t.Error("a move to a dead target succeeded")
			}
			server.checkGoesOn("job", faultLines)
		})
	}
}

// TestCorruptedMemory flips a bit of the memory on the wire, which ends its connection: TLS sees
// it before statexfer does. The link stays.
func TestCorruptedMemory(t *testing.T) {
	server, board, p := proxied(t)
	vm, err := server.tryRun(&pb.RunSpec{Name: "job", Args: []string{"count", "600"}, Memory: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	server.atPhase(pb.MovePhase_MOVE_PHASE_TRANSFER, p.alterNext)
	stream, err := server.client.Offload(t.Context(), &pb.OffloadRequest{Vm: vm.Id, To: "board", Options: &pb.MoveOptions{Compress: pb.Compression_COMPRESSION_NONE}})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	// The source may see the connection closed before the target has said why.
	if !strings.Contains(err.Error(), "board gave up: receive memory") && !strings.Contains(err.Error(), "board takes no more of it") {
		t.Errorf("move with a bit flipped: %v", err)
	}
	server.checkGoesOn("job", faultLines)
	board.checkNothingLeft()
}

// TestRefusals: the target says why, and the VM goes on.
func TestRefusals(t *testing.T) {
	server, board := pair(t, true)
	tests := []struct {
		name  string
		spoil func()
		mend  func()
		want  string
	}{
		{"memory", func() { board.memory.set(headroom + 1<<19) }, func() { board.memory.set(1 << 30) }, "no room: 1 MiB of memory are wanted, and 512 KiB are free"},
		{"machine", func() { board.faults.set(func(f *faults) { f.newErr = errors.New("no processor") }) },
			func() { board.faults.set(func(f *faults) { f.newErr = nil }) }, "no processor"},
		{"level", func() { board.Node.cfg.Host.Levels = nil }, func() { board.Node.cfg.Host.Levels = []string{isa.AArch64.Levels[0].Name} },
			"no build can run here"},
		{"start", func() { board.faults.set(func(f *faults) { f.startErr = errNoCPU }) },
			func() { board.faults.set(func(f *faults) { f.startErr = nil }) }, "board could not start it: no vCPU"},
		{"quiesce", func() { server.faults.set(func(f *faults) { f.neverLeft = true }) },
			func() { server.faults.set(func(f *faults) { f.neverLeft = false }) }, "did not reach a migration point within 300ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			release := hold(server)
			server.run(test.name, "count", "600")
			test.spoil()
			_, err := server.tryMove(test.name, "board")
			test.mend()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if note := server.inspect(test.name).Note; !strings.Contains(note, test.want) {
				t.Errorf("the record's note is %q", note)
			}
			release()
			server.checkGoesOn(test.name, faultLines)
			board.checkNothingLeft()
		})
	}
}

// TestNoKVM: a node without KVM runs nothing, says what to do, and lives on.
func TestNoKVM(t *testing.T) {
	n := startNode(t, "server", isa.X86_64)
	n.faults.set(func(f *faults) { f.newErr = fmt.Errorf("%w: load the module", vmm.ErrNoKVM) })
	_, err := n.tryRun(&pb.RunSpec{Name: "job", Args: []string{"idle"}})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "no usable /dev/kvm: load the module") {
		t.Errorf("run: %v", err)
	}
	n.faults.set(func(f *faults) { f.newErr = nil })
	if vm := n.run("job", "idle"); vm.Name != "job" {
		t.Errorf("afterwards: %v", vm)
	}
}

// TestNames: a name is taken as long as its VM has not ended, at the target too.
func TestNames(t *testing.T) {
	server, board := pair(t, true)
	server.run("job", "idle")
	if _, err := server.tryRun(&pb.RunSpec{Name: "job", Args: []string{"idle"}}); status.Code(err) != codes.AlreadyExists {
		t.Errorf("second VM of one name: %v", err)
	}
	board.run("job", "idle")
	if _, err := server.tryMove("job", "board"); status.Code(err) != codes.AlreadyExists || !strings.Contains(err.Error(), `"job" is taken on board`) {
		t.Errorf("move to where the name is taken: %v", err)
	}
	if _, err := server.client.Stop(t.Context(), &pb.StopRequest{Vm: "job"}); err != nil {
		t.Fatal(err)
	}
	again := server.run("job", "idle")
	if found := server.inspect("job"); found.Id != again.Id {
		t.Error("the name still means the VM that has ended")
	}
	for _, name := range []string{"-x", "a b", "a/b", strings.Repeat("a", 64), "ü"} {
		if _, err := server.tryRun(&pb.RunSpec{Name: name, Args: []string{"idle"}}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// TestUnknown: what does not exist is named.
func TestUnknown(t *testing.T) {
	server, _ := pair(t, true)
	server.run("job", "idle")
	for _, test := range []struct {
		what string
		call func() error
		want string
	}{
		{"node", func() error { _, err := server.tryMove("job", "nowhere"); return err }, "unknown node: nowhere"},
		{"VM", func() error { _, err := server.tryMove("nobody", "board"); return err }, `unknown VM "nobody"`},
		{"image", func() error {
			_, err := server.tryRun(&pb.RunSpec{Image: "sha256:" + strings.Repeat("0", 64)})
			return err
		}, "not in the image store"},
		{"digest", func() error { _, err := server.tryRun(&pb.RunSpec{Image: "../x"}); return err }, "is not a digest"},
		{"move to itself", func() error { _, err := server.tryMove("job", "server"); return err }, "is on server already"},
		{"recall from home", func() error { _, err := server.tryMove("job", ""); return err }, "is at home on server already"},
	} {
		if err := test.call(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.what, err, test.want)
		}
	}
}

// TestStopCallsMoveOff: a VM that is asked to stop while it moves does, where it is.
func TestStopCallsMoveOff(t *testing.T) {
	server, board, p := proxied(t)
	server.run("job", "idle")
	reached := make(chan struct{})
	server.atPhase(pb.MovePhase_MOVE_PHASE_TRANSFER, func() { p.freeze(true); close(reached) })
	moved := make(chan error, 1)
	go func() {
		_, err := server.tryMove("job", "board")
		moved <- err
	}()
	<-reached
	stopped := make(chan *pb.VM, 1)
	go func() {
		vm, err := server.client.Stop(t.Context(), &pb.StopRequest{Vm: "job"})
		if err != nil {
			t.Error(err)
		}
		stopped <- vm
	}()
	if err := <-moved; err == nil || !strings.Contains(err.Error(), "being stopped") {
		t.Errorf("the move ended with %v", err)
	}
	if vm := <-stopped; vm.GetExit().GetCode() != 143 {
		t.Errorf("it ended with %v", vm.GetExit())
	}
	p.freeze(false)
	board.checkNothingLeft()
}

// TestAwayOperations: stop, wait and logs follow a VM, asked at its home and at its host.
func TestAwayOperations(t *testing.T) {
	server, board := pair(t, true)
	vm := server.run("job", "idle")
	server.move("job", "board")
	ended := make(chan *pb.VM, 2)
	for _, n := range []*testNode{server, board} {
		go func() { ended <- n.wait(vm.Id) }()
	}
	if got := board.logs("job", false); got != "" {
		t.Errorf("log of a silent VM: %q", got)
	}
	stopped, err := server.client.Stop(t.Context(), &pb.StopRequest{Vm: "job"})
	if err != nil || stopped.Exit.GetCode() != 143 || stopped.State != pb.VMState_VM_STATE_EXITED {
		t.Errorf("stop: %v, %v", stopped.GetExit(), err)
	}
	for range 2 {
		select {
		case rec := <-ended:
			if rec.Exit.GetCode() != 143 {
				t.Errorf("wait: %v", rec.Exit)
			}
		case <-time.After(patience):
			t.Fatal("wait does not return")
		}
	}
}

// TestCrash: a crash is in the record and in the log, also when it happens elsewhere.
func TestCrash(t *testing.T) {
	server, _ := pair(t, true)
	server.run("job", "crash")
	end := server.wait("job")
	if end.Exit.GetCode() != 139 || end.Exit.Crash.GetReason() != "page fault" || len(end.Exit.Crash.Registers) == 0 {
		t.Errorf("it ended with %v", end.Exit)
	}
	if log := server.logs("job", true); !strings.Contains(log, "crashed on server (x86_64): page fault") || !strings.Contains(log, "main main.c:7") {
		t.Errorf("log: %q", log)
	}
}

// A move that is called off while the target still reserves leaves nothing there.
func TestCalledOffWhileReserving(t *testing.T) {
	server, board := pair(t, true)
	server.run("job", "count", "600")
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	board.faults.set(func(f *faults) {
		f.making = func() { cancel(); <-over }
	})
	stream, err := server.client.Offload(ctx, &pb.OffloadRequest{Vm: "job", To: "board"})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	server.eventually("the move is off", func() bool { return server.inspect("job").MovingTo == "" })
	close(over)
	board.checkNothingLeft()
	server.checkGoesOn("job", faultLines)
}

// Who calls a move off may ask for the next one at once, whatever phase the first was in.
func TestCalledOffAndAgain(t *testing.T) {
	for _, phase := range beforeCommit {
		t.Run(phase.String(), func(t *testing.T) {
			server, _ := pair(t, true)
			server.run("job", "count", "600")
			ctx, cancel := context.WithCancel(t.Context())
			server.atPhase(phase, func() {
				cancel()
				time.Sleep(50 * time.Millisecond) // so that the next one comes while this is under way
			})
			stream, err := server.client.Offload(ctx, &pb.OffloadRequest{Vm: "job", To: "board"})
			for err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != codes.Canceled {
				t.Fatal(err)
			}
			server.move("job", "board")
			if end := server.wait("job"); end.Exit.GetCode() != 42 || end.Node != "board" {
				t.Errorf("it ended with %v on %s", end.Exit, end.Node)
			}
			if got := server.logs("job", false); got != countOutput(faultLines) {
				t.Errorf("log has %d bytes", len(got))
			}
		})
	}
}
