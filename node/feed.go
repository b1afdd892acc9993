package node

import (
	"context"
	"errors"
	"io"

	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// give writes all of p to the guest, over a move that is called off, and ends the input
// with it if eof is set.
func (vm *VM) give(ctx context.Context, guest vmproc.VM, offset int64, p []byte, eof bool) (int64, error) {
	for {
		accepted, err := guest.Input(ctx, offset, p, eof)
		if !errors.Is(err, vmm.ErrLeft) {
			return accepted, err
		}
		if err := vm.awaitSettled(ctx); err != nil {
			return accepted, err
		}
		if vm.here() != guest {
			return accepted, errors.New("the VM has moved on")
		}
		if !move.Pause(ctx, retryPause) { // it is about to go on, or its daemon ends
			return accepted, context.Cause(ctx)
		}
	}
}

// feedGuest gives a guest at home what comes in, until it leaves or ends.
func (vm *VM) feedGuest(ctx context.Context, guest vmproc.VM) {
	accepted, err := guest.Input(ctx, 0, nil, false)
	if err != nil {
		return
	}
	vm.input.Accept(accepted)
	for {
		p, err := vm.input.Read(ctx, accepted)
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return
		}
		accepted, err = vm.give(ctx, guest, accepted, p, eof)
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
		if !move.Pause(ctx, retryPause) {
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
		accepted, err := guest.Input(stream.Context(), 0, nil, false)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.InputResponse{Accepted: accepted}); err != nil {
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
