package node

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// postCopy moves a VM by post-copy.
func (n *testNode) postCopy(vm, to string) (*pb.Move, error) {
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	stream, err := n.client.Offload(ctx, &pb.OffloadRequest{
		// Not compressed, so that there is much to cut a link in the middle of.
		Vm: vm, To: to, Options: &pb.MoveOptions{Kind: pb.MoveKind_MOVE_KIND_POSTCOPY, Compress: pb.Compression_COMPRESSION_NONE},
	})
	if err != nil {
		return nil, err
	}
	return accountOf(stream)
}

// checkArrived checks that a VM ended on the board as one that did not move.
func (n *testNode) checkArrived(vm string) {
	n.t.Helper()
	if end := n.wait(vm); end.Exit.GetCode() != 42 || end.Node != "board" || end.DependsOn != "" {
		n.t.Errorf("it ended with %v on %s, depending on %q", end.Exit, end.Node, end.DependsOn)
	}
	if got, want := n.logs(vm, false), countOutput(faultLines); got != want {
		n.t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
}

func TestPostCopy(t *testing.T) {
	server, board := pair(t, false)
	server.run("job", "count", "600")
	account, err := server.postCopy("job", "board")
	if err != nil {
		t.Fatal(err)
	}
	if account.Kind != pb.MoveKind_MOVE_KIND_POSTCOPY || account.Memory.GetLater() == 0 {
		t.Errorf("account %v", account)
	}
	server.checkArrived("job")
	board.checkNothingLeft()
}

// A breaking is a way to the source that is cut in the middle of what it brings.
type breaking struct {
	vmproc.Streams
	once *sync.Once
	cut  func()
}

func (b *breaking) Open(ctx context.Context, number uint8) (net.Conn, error) {
	c, err := b.Streams.Open(ctx, number)
	if err != nil {
		return nil, err
	}
	return &breakingConn{Conn: c, b: b}, nil
}

type breakingConn struct {
	net.Conn
	b    *breaking
	read int
}

func (c *breakingConn) Read(p []byte) (int, error) {
	if c.read > 40<<10 {
		c.b.once.Do(c.b.cut)
	}
	n, err := c.Conn.Read(p)
	c.read += n
	return n, err
}

// halfFilled begins to move a VM by post-copy, and cuts the link when a part of the memory that
// was to follow is there.
func halfFilled(t *testing.T) (server, board *testNode, p *proxy, moved <-chan error) {
	t.Helper()
	server, board, p = proxied(t)
	server.survive()
	board.survive()
	var once sync.Once
	cut := make(chan struct{})
	board.faults.set(func(f *faults) {
		f.filling = func(s vmproc.Streams) vmproc.Streams {
			return &breaking{s, &once, func() { p.setCut(true); close(cut) }}
		}
	})
	server.run("job", "count", "600")
	done := make(chan error, 1)
	go func() {
		_, err := server.postCopy("job", "board")
		done <- err
	}()
	select {
	case <-cut:
	case err := <-done:
		t.Fatalf("it was not cut: %v", err)
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	board.eventually("it is there", func() bool { // it runs before
		_, err := board.lookup("job")
		return err == nil
	})
	board.eventually("it says that it waits", func() bool {
		rec := board.inspect("job")
		return rec.DependsOn == "server" && rec.Lacks > 0 && strings.Contains(rec.Note, "depends on server") && strings.Contains(rec.Note, "out of sight")
	})
	if rec := board.inspect("job"); rec.Node != "board" || rec.State != pb.VMState_VM_STATE_RUNNING {
		t.Errorf("it is %v on %s", rec.State, rec.Node)
	}
	return server, board, p, done
}

// checkNotHere checks that a VM which was committed does not seem to run at its source: it is moving
// as long as the target has not been heard, and there from then on.
func (n *testNode) checkNotHere(vm string) {
	n.t.Helper()
	rec := n.inspect(vm)
	moving := rec.State == pb.VMState_VM_STATE_MOVING && rec.MovingTo == "board"
	away := rec.State == pb.VMState_VM_STATE_AWAY && rec.Node == "board"
	if !moving && !away || rec.Exit != nil {
		n.t.Errorf("at its source it is %v on %s, moving to %q: %s", rec.State, rec.Node, rec.MovingTo, rec.Note)
	}
}

// process is the process of a VM that is being moved.
func (n *testNode) process(id string) *fakeVM {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.served {
		if s.vm.id == id {
			return s.guest.(*fakeVM)
		}
	}
	return n.vms[id].here().(*fakeVM)
}

// While memory follows the VM is at the target, for its source too: requests go there at once, and
// its log comes from there.
func TestServedVMIsElsewhere(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		server, board := pair(t, false)
		server.survive()
		board.survive()
		begun := make(chan struct{})
		hold := make(chan struct{})
		board.faults.set(func(f *faults) {
			f.filling = func(s vmproc.Streams) vmproc.Streams { return &holding{s, begun, hold} }
		})
		server.run("job", "count", "600")
		done := make(chan error, 1)
		go func() {
			_, err := server.postCopy("job", "board")
			done <- err
		}()
		<-begun
		elsewhere := func() bool {
			rec := server.inspect("job")
			return rec.State == pb.VMState_VM_STATE_AWAY && rec.Node == "board" && rec.DependsOn == "server"
		}
		server.eventually("it is at the board", elsewhere)
		if restarted {
			server.restart()
			<-done
			server.awaitLink("board")
			server.eventually("it is at the board after a restart", elsewhere)
		}
		if _, err := server.tryMove("job", ""); err == nil || !strings.Contains(err.Error(), "still on server") {
			t.Errorf("restarted %v: recalled too early: %v", restarted, err)
		}
		if restarted {
			close(hold)
			server.checkArrived("job")
		} else {
			server.end("job")
			close(hold)
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		board.checkNothingLeft()
		server.eventually("its process is gone", func() bool {
			h, err := server.store.Handovers()
			server.mu.Lock()
			defer server.mu.Unlock()
			return err == nil && len(h) == 0 && len(server.served) == 0
		})
		if err := server.granted(); err != nil {
			t.Errorf("restarted %v: %v", restarted, err)
		}
	}
}

// granted says whether a node's VMs have memory, though none is here.
func (n *testNode) granted() error {
	n.budget.mu.Lock()
	defer n.budget.mu.Unlock()
	if n.budget.granted != 0 {
		return fmt.Errorf("%d bytes are granted", n.budget.granted)
	}
	return nil
}

// A holding is a way to the source that brings nothing until it is let.
type holding struct {
	vmproc.Streams
	begun, hold chan struct{}
}

func (h *holding) Open(ctx context.Context, number uint8) (net.Conn, error) {
	select {
	case <-h.begun:
	default:
		close(h.begun)
	}
	select {
	case <-h.hold:
		return h.Streams.Open(ctx, number)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A link that is cut while memory follows leaves the VM waiting, and when it is back the rest
// comes. Meanwhile it is moved nowhere.
func TestCutWhileFilling(t *testing.T) {
	server, board, p, moved := halfFilled(t)
	server.checkNotHere("job")
	vm, err := board.lookup("job")
	if err != nil {
		t.Fatal(err)
	}
	err = vm.enterMove(&outgoing{to: "server"}, nil)
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "still on server") {
		t.Errorf("moved on: %v", err)
	}
	p.setCut(false)
	if err := <-moved; err != nil && status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	server.checkArrived("job")
	board.checkNothingLeft()
}

// The source's daemon restarts meanwhile: the VM's process goes on to have the memory.
func TestSourceRestartsWhileFilling(t *testing.T) {
	server, board, p, moved := halfFilled(t)
	server.restart()
	<-moved
	server.checkNotHere("job")
	p.setCut(false)
	server.checkArrived("job")
	board.checkNothingLeft()
}

// So does the target's: what came it keeps.
func TestTargetRestartsWhileFilling(t *testing.T) {
	server, board, p, moved := halfFilled(t)
	board.restart()
	if rec := board.inspect("job"); rec.DependsOn != "server" || rec.State != pb.VMState_VM_STATE_RUNNING {
		t.Errorf("after the restart it is %v and depends on %q", rec.State, rec.DependsOn)
	}
	p.setCut(false)
	if err := <-moved; err != nil && status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	server.checkArrived("job")
	board.checkNothingLeft()
}

// A source whose process of the VM dies has lost what it had, whether its daemon sees it or
// restarts meanwhile: the VM is lost, both nodes say so, and nothing is left.
func TestSourceProcessDies(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		server, board, p, moved := halfFilled(t)
		vm, err := server.lookup("job")
		if err != nil {
			t.Fatal(err)
		}
		guest := server.process(vm.id)
		if restarted {
			server.stop()
			server.faults.set(func(f *faults) { clear(f.left) })
			server.start()
		}
		guest.die()
		p.setCut(false)
		if err := <-moved; err == nil || !restarted && !strings.Contains(err.Error(), "lost") {
			t.Errorf("restarted %v: moved: %v", restarted, err)
		}
		const why = "its process on server died while pages of its memory were still there"
		if end := server.wait("job"); end.State != pb.VMState_VM_STATE_LOST || end.Node != "board" || end.Note != why {
			t.Errorf("restarted %v: it is %v on %s: %s", restarted, end.State, end.Node, end.Note)
		}
		board.checkNothingLeft()
		if h, err := server.store.Handovers(); err != nil || len(h) != 0 {
			t.Errorf("restarted %v: hand-overs %v are left, %v", restarted, h, err)
		}
	}
}

// A source that never returns: the VM waits, says so, and can be ended.
func TestSourceGone(t *testing.T) {
	server, board, _, moved := halfFilled(t)
	server.stop()
	<-moved
	if _, err := board.client.Stop(t.Context(), &pb.StopRequest{Vm: "job", Grace: durationpb.New(0)}); err != nil {
		t.Error(err)
	}
	if end := board.wait("job"); !over(end.State) || end.DependsOn != "" {
		t.Errorf("ended as %v, depending on %q", end.State, end.DependsOn)
	}
	if _, err := board.client.Forget(t.Context(), &pb.VMRequest{Vm: "job"}); err != nil {
		t.Error(err)
	}
	board.checkNothingLeft()
	server.start()
}
