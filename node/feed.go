package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A feeder gives a guest its standard input and counts what it got.
type feeder struct {
	mu       sync.Mutex
	accepted int64 // bytes of the VM's standard input that the guest has
}

// write gives the guest a piece of its input; what it has already is left out. ErrLeft
// means that it may take the rest later, here or elsewhere.
func (f *feeder) write(guest vmm.VM, offset int64, p []byte) (accepted int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset > f.accepted {
		return f.accepted, fmt.Errorf("standard input goes on at %d, not %d", f.accepted, offset)
	}
	if have := f.accepted - offset; have < int64(len(p)) {
		n, err := guest.Input().Write(p[have:])
		f.accepted += int64(n)
		return f.accepted, err
	}
	return f.accepted, nil
}

// count is how much the guest has. While the guest is off its stack it does not change.
func (f *feeder) count() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.accepted
}

// set says what a guest had when it arrived.
func (f *feeder) set(accepted int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accepted = accepted
}

// give writes all of p to the guest, over a move that is called off, and ends the input
// with it if eof is set.
func (vm *VM) give(ctx context.Context, guest vmm.VM, offset int64, p []byte, eof bool) (int64, error) {
	for {
		accepted, err := vm.feed.write(guest, offset, p)
		if err == nil && eof {
			err = guest.Input().Close()
		}
		if !errors.Is(err, vmm.ErrLeft) {
			return accepted, err
		}
		if err := vm.awaitSettled(ctx); err != nil {
			return accepted, err
		}
		if vm.here() != guest {
			return accepted, errors.New("the VM has moved on")
		}
	}
}

// feedGuest gives a guest at home what comes in, until it leaves or ends.
func (vm *VM) feedGuest(ctx context.Context, guest vmm.VM) {
	for {
		offset := vm.feed.count()
		p, err := vm.input.Read(ctx, offset)
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return
		}
		accepted, err := vm.give(ctx, guest, offset, p, eof)
		vm.input.Accept(accepted)
		if err != nil || eof {
			return
		}
	}
}

// feedAway gives a VM that is on another node what comes in, until it ends or moves on.
// Where the link is cut, it goes on from what the guest has.
func (vm *VM) feedAway(ctx context.Context, stay *pb.Stay) {
	for ctx.Err() == nil {
		done, err := vm.feedOver(ctx, stay)
		if done {
			return
		}
		vm.node.log.Debug("input is not delivered", "vm", vm.id, "to", stay.Node, "err", err)
		if !pause(ctx, retryPause) {
			return
		}
	}
}

// feedOver uses one link for as long as it holds. done: the whole input is delivered.
func (vm *VM) feedOver(ctx context.Context, stay *pb.Stay) (done bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := vm.node.hub.Wait(ctx, stay.Node)
	if err != nil {
		return false, err
	}
	stream, err := l.Client().Input(ctx)
	if err != nil {
		return false, err
	}
	if err := stream.Send(&pb.InputRequest{Vm: vm.id, Generation: stay.Generation}); err != nil {
		return false, err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return false, err
		}
		vm.input.Accept(answer.Accepted)
		p, err := vm.input.Read(ctx, answer.Accepted)
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return false, err
		}
		if err := stream.Send(&pb.InputRequest{Offset: answer.Accepted, Data: p, Eof: eof}); err != nil {
			return false, err
		}
		if eof {
			_, err := stream.Recv()
			return err == nil, err
		}
	}
}

// takeInput is the host's side of feedOver.
func (vm *VM) takeInput(generation uint32, stream pb.Peer_InputServer) error {
	for {
		guest := vm.here()
		if guest == nil || vm.view().Generation != generation {
			return errNotHere(vm)
		}
		if err := stream.Send(&pb.InputResponse{Accepted: vm.feed.count()}); err != nil {
			return err
		}
		req, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if _, err := vm.give(stream.Context(), guest, req.Offset, req.Data, req.Eof); err != nil {
			return err
		}
	}
}
