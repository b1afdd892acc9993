package node

import (
	"fmt"
	"testing"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// TestThereAndBack moves a program to a node of another ISA and back while it prints, with
// the link opened from either side, and compares all that it printed.
func TestThereAndBack(t *testing.T) {
	for _, boardDials := range []bool{false, true} {
		t.Run(fmt.Sprintf("board dials %v", boardDials), func(t *testing.T) {
			server, board := pair(t, boardDials)
			vm := server.run("job", "count", "2000")
			there := server.move("job", "board")
			if there.FromIsa != "x86_64" || there.ToIsa != "aarch64" || there.ImageBytes == 0 {
				t.Errorf("account of the move there: %v", there)
			}
			if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_AWAY || rec.Node != "board" || rec.Isa != "aarch64" {
				t.Errorf("after the move the server says %v on %s (%s)", rec.State, rec.Node, rec.Isa)
			}
			if rec := board.inspect(vm.Id); rec.State != pb.VMState_VM_STATE_RUNNING || rec.Home != "server" {
				t.Errorf("after the move the board says %v, home %s", rec.State, rec.Home)
			}
			back := server.move("job", "")
			if back.Memory.GetPages() != 256 || back.Memory.GetZero() == 0 || back.Downtime.AsDuration() <= 0 || back.Total.AsDuration() < back.Downtime.AsDuration() {
				t.Errorf("account of the move back: %v", back)
			}
			again := server.move("job", "board")
			if again.ImageBytes != 0 {
				t.Errorf("the image was sent a second time: %d bytes", again.ImageBytes)
			}
			end := server.wait("job")
			if end.Exit.GetCode() != 42 || len(end.Moves) != 3 {
				t.Errorf("it ended with %v after %d moves", end.Exit, len(end.Moves))
			}
			if got, want := server.logs("job", false), countOutput(2000); got != want {
				t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
			}
			board.eventually("the VM is forgotten", func() bool { return len(board.list(true)) == 0 })
		})
	}
}

func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
