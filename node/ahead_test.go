package node

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// rest takes a guest off its stack, as one whose memory was sent.
func (vm *fakeVM) rest(t *testing.T) {
	t.Helper()
	if _, err := vm.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.sent = new(pb.Sent)
}

// A source's entry that was written ahead promises nothing. After a crash, the VM goes on at once
// where its process was not told that the target may start it, whether that can be asked or not;
// where it was, the target is asked first.
func TestCrashBehindEntry(t *testing.T) {
	for _, told := range []bool{false, true} {
		server, board, p := proxied(t)
		server.survive()
		vm := server.run("job", "count", "600")
		guest := server.process(vm.Id)
		guest.rest(t)
		if told {
			guest.Commit()
		}
		token := []byte("sixteen bytes :)")
		err := server.store.PutHandover(&pb.Handover{
			Token: token, State: pb.HandoverState_HANDOVER_STATE_COMMITTED, Vm: vm.Id, Peer: "board",
			Generation: vm.Generation + 1, Time: timestamppb.Now(), Ahead: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		p.setCut(true)
		server.restart()
		rec := server.inspect("job")
		entry, err := server.store.Handover(token)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case told && (rec.State != pb.VMState_VM_STATE_MOVING || rec.MovingTo != "board" || entry == nil):
			t.Errorf("that it may run elsewhere is forgotten: it is %v, journal %v", rec.State, entry)
		case !told && (rec.State == pb.VMState_VM_STATE_MOVING || entry != nil):
			t.Errorf("nobody was told, and it is %v, journal %v", rec.State, entry)
		case !told:
			server.checkGoesOn("job", faultLines)
		}
		p.setCut(false)
		server.eventually("it is known that it does not run there", func() bool {
			return server.inspect("job").State != pb.VMState_VM_STATE_MOVING
		})
		server.checkGoesOn("job", faultLines)
		board.checkNothingLeft()
	}
}

// Where the target cannot write its journal, the guest that ran there has left no trace, and the
// VM goes on at its source.
func TestTargetCannotWrite(t *testing.T) {
	for _, move := range []func(*testNode, string, string) (*pb.Move, error){(*testNode).tryMove, (*testNode).postCopy} {
		server, board := pair(t, true)
		vm := server.run("job", "count", "600")
		server.atPhase(pb.MovePhase_MOVE_PHASE_START, func() {
			if err := board.store.Close(); err != nil {
				t.Error(err)
			}
		})
		if _, err := move(server, "job", "board"); err == nil {
			t.Error("moved to a node that cannot write down that it has it")
		}
		board.checkNothingLeft()
		if _, err := os.Stat(filepath.Join(board.cfg.StateDir, "logs", vm.Id)); err == nil {
			t.Error("its log is left there")
		}
		server.checkGoesOn("job", faultLines)
	}
}
