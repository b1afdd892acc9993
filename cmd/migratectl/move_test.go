package main

import (
	"testing"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// What an interrupt of a move to b, or home to a, has come to.
func TestWhereItIs(t *testing.T) {
	const running, moving, away = pb.VMState_VM_STATE_RUNNING, pb.VMState_VM_STATE_MOVING, pb.VMState_VM_STATE_AWAY
	for _, tt := range []struct {
		state      pb.VMState
		node, to   string
		wantToRead string
	}{
		{running, "a", "b", "the move was called off: vm is running on a"},
		{away, "c", "b", "the move was called off: vm is away on c"},
		{away, "b", "b", "too late to call the move off: vm is on b"},
		{running, "a", "", "too late to call the move off: vm is on a"},
		{away, "b", "", "the move was called off: vm is away on b"},
		{moving, "a", "b", "too late to call the move off: vm is on its way to b; migratectl ps says when it is there"},
	} {
		rec := &pb.VM{Name: "vm", Home: "a", Node: tt.node, State: tt.state}
		if tt.state == moving {
			rec.MovingTo = "b"
		}
		if got := whereItIs(rec, tt.to).Error(); got != tt.wantToRead {
			t.Errorf("%v on %s, to %q: %s", tt.state, tt.node, tt.to, got)
		}
	}
}
