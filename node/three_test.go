package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/link"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// triangle starts three nodes that all know each other.
func triangle(t *testing.T) (server, board, other *testNode) {
	t.Helper()
	server = startNode(t, "server", isa.X86_64)
	board = startNode(t, "board", isa.AArch64, link.Peer{Name: "server", Address: server.address})
	other = startNode(t, "other", isa.X86_64, link.Peer{Name: "server", Address: server.address},
		link.Peer{Name: "board", Address: board.address})
	for _, n := range []*testNode{server, board, other} {
		for _, peer := range []string{"server", "board", "other"} {
			if peer != n.cfg.Name {
				n.awaitLink(peer)
			}
		}
	}
	return server, board, other
}

// TestThirdNode moves a program on from a node that is not its home, asked at its home and
// at its host, and back.
func TestThirdNode(t *testing.T) {
	server, board, other := triangle(t)
	release := hold(server, board, other)
	vm := server.run("job", "count", "3000")
	server.move("job", "board")
	server.move("job", "other") // the home asks the board
	if rec := other.inspect("job"); rec.State != pb.VMState_VM_STATE_RUNNING {
		t.Errorf("on the third node it is %v", rec.State)
	}
	other.move("job", "board") // its host is asked
	server.eventually("home hears of the move", func() bool { return server.inspect("job").Node == "board" })
	board.move(vm.Id, "") // its host recalls it to its home
	release()
	end := server.wait("job")
	if end.Exit.GetCode() != 42 || end.Node != "server" || len(end.Moves) != 4 || len(end.Stays) != 5 {
		t.Errorf("it ended with %v on %s after %d moves and %d stays", end.Exit, end.Node, len(end.Moves), len(end.Stays))
	}
	if got, want := server.logs("job", true), countOutput(3000); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
	for _, n := range []*testNode{board, other} {
		n.eventually("the VM is forgotten", func() bool { return len(n.list(true)) == 0 })
	}
}

// TestHomeOutOfSight: a node that cannot reach a VM's home does not take the VM.
func TestHomeOutOfSight(t *testing.T) {
	server := startNode(t, "server", isa.X86_64)
	board := startNode(t, "board", isa.AArch64, link.Peer{Name: "server", Address: server.address})
	far := startNode(t, "far", isa.X86_64, link.Peer{Name: "board", Address: board.address})
	server.awaitLink("board")
	board.awaitLink("far")
	far.awaitLink("board")
	server.run("job", "idle")
	server.move("job", "board")
	if _, err := server.tryMove("job", "far"); err == nil || !strings.Contains(err.Error(), "no link to server, the VM's home") {
		t.Errorf("move out of its home's sight: %v", err)
	}
}

// TestHomeRestarts: a home that was down while its VM worked elsewhere has all of its log.
func TestHomeRestarts(t *testing.T) {
	server := startNode(t, "server", isa.X86_64)
	board := startNode(t, "board", isa.AArch64, link.Peer{Name: "server", Address: server.address})
	server.awaitLink("board")
	server.run("job", "count", "1500")
	server.run("stayed", "idle")
	server.move("job", "board")
	server.stop()
	server.start()
	if rec := server.inspect("stayed"); rec.State != pb.VMState_VM_STATE_LOST {
		t.Errorf("a VM that died with its daemon is %v", rec.State)
	}
	end := server.wait("job")
	if end.Exit.GetCode() != 42 || end.Node != "board" {
		t.Errorf("it ended with %v on %s", end.Exit, end.Node)
	}
	if got, want := server.logs("job", false), countOutput(1500); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
	board.eventually("the VM is forgotten", func() bool { return len(board.list(true)) == 0 })
}

// TestHostRestarts: home learns that a VM died with its host's daemon, and keeps its log.
func TestHostRestarts(t *testing.T) {
	server, board := pair(t, false)
	server.run("job", "idle")
	server.move("job", "board")
	board.stop()
	board.start()
	end := server.wait("job")
	if end.State != pb.VMState_VM_STATE_LOST || !strings.Contains(end.Note, "board") {
		t.Errorf("it is %v, note %q", end.State, end.Note)
	}
}

// An attached operator: what it typed and what it saw.
type attached struct {
	stream   pb.Node_AttachClient
	seen     bytes.Buffer
	ended    chan *pb.VM
	accepted chan int64    // what the program had of the input at first
	lost     atomic.Bool   // its daemon ends, and with it the stream
	mu       chan struct{} // one token
}

func attach(t *testing.T, n *testNode, vm string) *attached {
	t.Helper()
	stream, err := n.client.Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&pb.AttachRequest{Vm: vm, Stdin: true}); err != nil {
		t.Fatal(err)
	}
	a := &attached{stream: stream, ended: make(chan *pb.VM, 1), accepted: make(chan int64, 1), mu: make(chan struct{}, 1)}
	a.mu <- struct{}{}
	go func() {
		for {
			event, err := stream.Recv()
			if err != nil {
				if !errors.Is(err, io.EOF) && t.Context().Err() == nil && !a.lost.Load() {
					t.Error(err)
				}
				return
			}
			if vm := event.GetEnded(); vm != nil {
				a.ended <- vm
			}
			if e, ok := event.Event.(*pb.AttachResponse_Accepted); ok {
				select {
				case a.accepted <- e.Accepted:
				default:
				}
			}
			<-a.mu
			err = console.Each(event.GetLog().GetFrames(), func(_ vmm.Stream, p []byte) error {
				a.seen.Write(p)
				return nil
			})
			a.mu <- struct{}{}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	return a
}

func (a *attached) text() string {
	<-a.mu
	defer func() { a.mu <- struct{}{} }()
	return a.seen.String()
}

// TestInputFollows types while a program moves about; it gets all, once, in order.
func TestInputFollows(t *testing.T) {
	server, board := pair(t, true)
	vm, err := server.tryRun(&pb.RunSpec{Name: "job", Args: []string{"cat"}, Input: true})
	if err != nil {
		t.Fatal(err)
	}
	a := attach(t, server, vm.Id)
	var typed strings.Builder
	say := func(s string) {
		t.Helper()
		at := int64(typed.Len())
		typed.WriteString(s)
		if err := a.stream.Send(&pb.AttachRequest{Offset: at, Data: []byte(s)}); err != nil {
			t.Fatal(err)
		}
	}
	typing, stop := context.WithCancel(t.Context())
	typed2 := make(chan struct{})
	go func() { // a stream of lines during the moves
		defer close(typed2)
		for i := 0; typing.Err() == nil; i++ {
			say(strings.Repeat("x", i%100) + "\n")
		}
	}()
	for range 3 {
		server.move("job", "board")
		server.move("job", "")
	}
	server.move("job", "board")
	stop()
	<-typed2
	say("last words\n")
	server.eventually("the echo is complete", func() bool { return a.text() == typed.String() })
	if err := a.stream.Send(&pb.AttachRequest{Eof: true}); err != nil {
		t.Fatal(err)
	}
	end := <-a.ended
	if want := int32(typed.Len() % 100); end.Exit.GetCode() != want || end.Node != "board" {
		t.Errorf("it ended with %v on %s, want %d", end.Exit, end.Node, want)
	}
	if len(board.list(false)) != 0 {
		t.Error("it is still on the board")
	}
}
