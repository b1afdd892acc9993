package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/console"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func (s *operatorServer) Attach(stream pb.Node_AttachServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	var vm *VM
	if first.Run != nil {
		vm, err = s.start(first.Run, stream)
	} else {
		vm, err = s.attachable(first.Vm)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	var sending sync.Mutex
	send := func(event *pb.AttachResponse) error {
		sending.Lock()
		defer sending.Unlock()
		return stream.Send(event)
	}
	if first.Stdin { // before anything is sent: should that fail, the input ends
		go vm.takeStdin(ctx, stream)
	}
	if first.Run != nil {
		if err := send(&pb.AttachResponse{Event: &pb.AttachResponse_Started{Started: vm.view()}}); err != nil {
			return err
		}
	}
	if first.Stdin {
		var acknowledging sync.WaitGroup
		defer acknowledging.Wait() // no longer sends
		defer cancel()
		acknowledging.Go(func() { vm.acknowledge(ctx, send) })
	}
	err = vm.sendLog(ctx, first.LogOffset, true, func(chunk *pb.LogChunk) error {
		return send(&pb.AttachResponse{Event: &pb.AttachResponse_Log{Log: chunk}})
	})
	if err != nil {
		return err
	}
	rec, err := vm.await(ctx, ended)
	if err != nil {
		return err
	}
	return send(&pb.AttachResponse{Event: &pb.AttachResponse_Ended{Ended: rec}})
}

// attachable finds the VM that an Attach names.
func (s *operatorServer) attachable(ref string) (*VM, error) {
	vm, err := s.node.lookup(ref)
	if err != nil {
		return nil, err
	}
	if !vm.home {
		return nil, status.Errorf(codes.FailedPrecondition, "attach to it on %s, its home", vm.view().Home)
	}
	return vm, nil
}

// start starts the program that an Attach begins with. It is over with the part that is empty,
// not with the stream: that goes on with the program's input.
func (s *operatorServer) start(part *pb.RunRequest, stream pb.Node_AttachServer) (*VM, error) {
	spec, files, err := receiveRun(func() (*pb.RunRequest, error) {
		if part == nil {
			req, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil, errRunCut
			}
			if err != nil {
				return nil, err
			}
			part = req.Run
		}
		p := part
		part = nil
		if p.GetPart() == nil {
			return nil, io.EOF
		}
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	return s.node.run(spec, files)
}

// acknowledge says what the program has of its input, at first and whenever it has more.
func (vm *VM) acknowledge(ctx context.Context, send func(*pb.AttachResponse) error) {
	for accepted := int64(-1); ; {
		var err error
		if accepted, err = vm.input.Accepted(ctx, accepted); err != nil {
			return
		}
		if send(&pb.AttachResponse{Event: &pb.AttachResponse_Accepted{Accepted: accepted}}) != nil {
			return
		}
	}
}

// takeStdin passes an operator's input on.
func (vm *VM) takeStdin(ctx context.Context, stream pb.Node_AttachServer) {
	ctx, leave := vm.giver.enter(ctx)
	defer func() { leave(vm.endInput) }()
	for {
		req, err := stream.Recv()
		if err != nil {
			return
		}
		if err := vm.input.Write(ctx, req.Offset, req.Data); err != nil {
			if !errors.Is(err, console.ErrInputClosed) && ctx.Err() == nil {
				vm.node.log.Warn("take input", "vm", vm.id, "err", err)
			}
			return
		}
		if req.Eof {
			vm.input.CloseWrite()
			return
		}
	}
}

// endInput ends the input that nobody gives any more, unless it is for the next daemon to wait
// for who gave it.
func (vm *VM) endInput() {
	if vm.node.ctx.Err() == nil {
		vm.input.CloseWrite()
	}
}

// inputPatience is how long a program's input waits for whoever gave it to come back after a
// restart of the daemon or a break of the connection. Then it ends.
const inputPatience = 30 * time.Second

// A giver is who gives a VM its input: one at a time. Whoever comes last has come back, and
// takes the place of a connection whose end was not noticed.
type giver struct {
	mu      sync.Mutex
	current context.CancelFunc // nil: nobody
	waiting *time.Timer        // for somebody; nil where nobody was yet
	stays   int                // counts those who came
}

// enter makes the caller the giver. leave says that he is it no longer, and has nobody called
// unless somebody comes in time.
func (g *giver) enter(ctx context.Context) (_ context.Context, leave func(nobody func())) {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current != nil {
		g.current()
	}
	if g.waiting != nil {
		g.waiting.Stop()
	}
	g.current = cancel
	g.stays++
	stay := g.stays
	return ctx, func(nobody func()) {
		cancel()
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.stays == stay {
			g.current = nil
			g.await(nobody)
		}
	}
}

// expect has nobody called unless somebody comes in time.
func (g *giver) expect(nobody func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.await(nobody)
}

// await is expect; g.mu is held.
func (g *giver) await(nobody func()) {
	stay := g.stays
	g.waiting = time.AfterFunc(inputPatience, func() {
		g.mu.Lock()
		alone := g.stays == stay
		g.mu.Unlock()
		if alone {
			nobody()
		}
	})
}
