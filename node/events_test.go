package node

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/events"
	"github.com/migrated/migrated/node/link"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// history lists a node's events.
func (n *testNode) history(req *pb.EventsRequest) []*pb.Event {
	n.t.Helper()
	stream, err := n.client.Events(n.t.Context(), req)
	if err != nil {
		n.t.Fatal(err)
	}
	var all []*pb.Event
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			n.t.Fatal(err)
		}
		all = append(all, e)
	}
}

// kinds is what happened, without phases.
func kinds(all []*pb.Event) string {
	var names []string
	for _, e := range all {
		if e.Kind != pb.EventKind_EVENT_KIND_MOVE_PHASE {
			names = append(names, events.Kind(e.Kind))
		}
	}
	return strings.Join(names, " ")
}

// TestEventsOfAMove: both nodes tell of a move there and back under one id each, and count it.
func TestEventsOfAMove(t *testing.T) {
	server, board := pair(t, false)
	vm := server.run("job", "count", "500")
	there := server.move("job", "board")
	server.move("job", "")
	server.wait("job")

	of := &pb.EventsRequest{Vm: vm.Id}
	server.eventually("its end is an event", func() bool { return strings.HasSuffix(kinds(server.history(of)), "vm-exited") })
	mine := server.history(of)
	if got, want := kinds(mine), "vm-started move-begun move-done move-begun move-done vm-exited"; got != want {
		t.Errorf("the server tells of %s, want %s", got, want)
	}
	board.eventually("it is over there too", func() bool { return strings.HasSuffix(kinds(board.history(of)), "move-done move-begun move-done") })
	theirs := board.history(of)
	if got, want := kinds(theirs), "move-begun move-done move-begun move-done"; got != want {
		t.Errorf("the board tells of %s, want %s", got, want)
	}
	if a, b := moves(mine), moves(theirs); len(a) != 2 || !slices.Equal(a, b) {
		t.Errorf("ids of the moves: %v here, %v there", a, b)
	}
	var phases []string
	for _, e := range mine {
		if e.Kind == pb.EventKind_EVENT_KIND_MOVE_PHASE {
			phases = append(phases, events.Phase(e.Phase))
		}
		if e.Kind == pb.EventKind_EVENT_KIND_MOVE_DONE && e.From == "server" {
			if e.MoveKind != there.Kind || there.Kind == pb.MoveKind_MOVE_KIND_UNSPECIFIED {
				t.Errorf("the move was made by %v, and is said to be by %v", there.Kind, e.MoveKind)
			}
			if e.To != "board" || e.Account.GetDowntime().AsDuration() != there.Downtime.AsDuration() {
				t.Errorf("the account of the move there: %v, want %v", e, there)
			}
		}
	}
	if got, want := strings.Join(phases, " "), "prepare quiesce transfer verify start"; got != want {
		t.Errorf("phases of the move from here: %s, want %s", got, want)
	}
	if last := server.history(&pb.EventsRequest{Vm: "job", Last: 2}); kinds(last) != "move-done vm-exited" {
		t.Errorf("the last two are %s", kinds(last))
	}
	want := `
# HELP migrated_moves_running Moves that are under way, by direction.
# TYPE migrated_moves_running gauge
migrated_moves_running{direction="in"} 0
migrated_moves_running{direction="out"} 0
# HELP migrated_vms_started_total VMs that were started here.
# TYPE migrated_vms_started_total counter
migrated_vms_started_total 1
# HELP migrated_links Nodes that are connected.
# TYPE migrated_links gauge
migrated_links 1
`
	err := testutil.GatherAndCompare(server.Metrics().Registry(), strings.NewReader(want),
		"migrated_moves_running", "migrated_vms_started_total", "migrated_links")
	if err != nil {
		t.Error(err)
	}
}

// moves lists the ids of moves in their order.
func moves(all []*pb.Event) []string {
	var ids []string
	for _, e := range all {
		if e.Move != "" && !slices.Contains(ids, e.Move) {
			ids = append(ids, e.Move)
		}
	}
	return ids
}

// TestEventsOfFailure: a move that comes to nothing is told of on both sides, with its reason
// and the phase that it had come to; so are a crash, a lost link and a lost VM.
func TestEventsOfFailure(t *testing.T) {
	server, board := pair(t, false)
	vm := server.run("job", "idle")
	server.faults.set(func(f *faults) { f.neverLeft = true })
	if _, err := server.tryMove("job", "board"); err == nil {
		t.Fatal("a program that never leaves was moved")
	}
	of := &pb.EventsRequest{Vm: vm.Id}
	mine := server.history(of)
	failed := mine[len(mine)-1]
	if kinds(mine) != "vm-started move-begun move-failed" || failed.Phase != pb.MovePhase_MOVE_PHASE_QUIESCE ||
		!strings.Contains(failed.Reason, "migration point") {
		t.Errorf("the server tells of %s; at last %v", kinds(mine), failed)
	}
	board.eventually("the failure is an event there", func() bool { return kinds(board.history(of)) == "move-begun move-failed" })
	if theirs := board.history(of); !slices.Equal(moves(mine), moves(theirs)) || !strings.Contains(theirs[1].Reason, "server keeps it") {
		t.Errorf("the board tells of %v", theirs)
	}
	crash := server.run("crash", "crash")
	server.wait("crash")
	server.eventually("the crash is an event", func() bool {
		return kinds(server.history(&pb.EventsRequest{Vm: crash.Id})) == "vm-started vm-crashed"
	})
	board.stop()
	server.eventually("the lost link is an event", func() bool {
		return kinds(server.history(&pb.EventsRequest{Last: 1})) == "peer-lost"
	})
	server.stop()
	server.start()
	if got := kinds(server.history(of)); !strings.HasSuffix(got, "vm-lost") {
		t.Errorf("after a restart: %s", got)
	}
}

// TestApply: what may change while a node runs does.
func TestApply(t *testing.T) {
	board := startNode(t, "board", isa.AArch64)
	server := startNode(t, "server", isa.X86_64)
	settings := server.cfg.Settings
	settings.Peers = []link.Peer{{Name: "board", Address: board.address}}
	settings.MemoryLimit = 3 << 20
	settings.DefaultMemory = 2 << 20
	settings.KeepEnded = 1
	server.Apply(settings)
	server.awaitLink("board")
	img := server.importImage().Digest
	stream, err := server.client.Run(t.Context())
	if err == nil {
		err = stream.Send(&pb.RunRequest{Part: &pb.RunRequest_Spec{Spec: &pb.RunSpec{Name: "a", Image: img, Args: []string{"idle"}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	if vm, err := stream.CloseAndRecv(); err != nil || vm.Memory != 2<<20 {
		t.Errorf("with another default: %v, %v", vm, err)
	}
	if _, err := server.tryRun(&pb.RunSpec{Image: img, Memory: 2 << 20, Args: []string{"idle"}}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("above the new limit: %v", err)
	}
	settings.MemoryLimit = 0
	server.Apply(settings)
	for range 3 {
		server.wait(server.run("", "count", "1").Id)
	}
	server.eventually("one record of those that ended is kept", func() bool { return len(server.list(true)) == 2 })
}
