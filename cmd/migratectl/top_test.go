package main

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// look is the node at a time, with two VMs that have taken that much.
func look(at, cpu time.Duration) *topRecord {
	r := newTopRecord(&pb.TopResponse{
		Time: timestamppb.New(time.Unix(0, 0).Add(at)),
		Node: &pb.NodeInfo{Name: "here", Isa: "x86_64", Vms: 1, MemoryFree: 1 << 30, MemoryTotal: 4 << 30},
		Vms: []*pb.VMUsage{
			{Vm: &pb.VM{Id: "a", Name: "lua", State: pb.VMState_VM_STATE_MOVING, Node: "here", MovingTo: "board", Memory: 64 << 20},
				Cpu: durationpb.New(cpu), Resident: 5 << 20, MoveId: "0a",
				Move: &pb.MoveEvent{Rate: &pb.MoveRate{DirtyRate: 512, Throttle: 0.3}, Phase: pb.MovePhase_MOVE_PHASE_TRANSFER, Memory: &pb.MemoryStats{Pages: 100, Zero: 20, Sent: 30, WireBytes: 2048}}},
			{Vm: &pb.VM{Id: "b", Name: "far", State: pb.VMState_VM_STATE_AWAY, Node: "board", Memory: 64 << 20}},
		},
	})
	return &r
}

func TestTop(t *testing.T) {
	r := look(3*time.Second, 4*time.Second)
	r.since(look(time.Second, time.Second))
	if load := r.VMs[0].Load; load == nil || *load != 150 {
		t.Errorf("load %v, want 150%%", load)
	}
	if r.VMs[1].Load != nil {
		t.Error("a VM that is elsewhere takes something here")
	}
	var b strings.Builder
	if err := printTop(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"here (x86_64)  VMs here: 1  free: 1 GiB of 4 GiB", "150%", "to board, transfer, 50%, 2 KiB sent, writes 2 MiB/s, held back 30%", "far"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	back := look(4*time.Second, time.Second)
	if back.since(r); back.VMs[0].Load != nil {
		t.Errorf("a VM that came anew has load %v", *back.VMs[0].Load)
	}
}

// TestFit: a table never scrolls the screen, nor wraps.
func TestFit(t *testing.T) {
	got := fit("1234567\nab\nc\nd\n", 3, 5)
	if want := home + "12345" + clearLine + "\r\nab" + clearLine + "\r\n... 2" + clearLine + clearBelow; got != want {
		t.Errorf("%q", got)
	}
	if got := fit("é\n", 3, 5); got != home+"é"+clearLine+clearBelow {
		t.Errorf("%q", got)
	}
}
