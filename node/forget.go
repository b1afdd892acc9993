package node

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Forget gives a VM up. At its home, one that is on a node which is out of sight, or may be there
// since it was handed over: what still runs there is ended when that node is seen again. Elsewhere, the record and the log of one
// that has ended, for a home that never asks for them.
func (s *operatorServer) Forget(_ context.Context, req *pb.VMRequest) (*pb.VM, error) {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return nil, err
	}
	rec := vm.view()
	switch {
	case over(rec.State):
		return rec, s.node.forget(vm.id)
	case !vm.home:
		return nil, status.Errorf(codes.FailedPrecondition, "the VM runs: stop it first, or let %s, its home, give it up", rec.Home)
	case rec.State == pb.VMState_VM_STATE_AWAY:
		err = vm.giveUpAway(rec)
	default:
		err = vm.giveUpMoving()
	}
	if err != nil {
		return nil, err
	}
	vm.unkeep()
	now := vm.view()
	s.node.happened(endEvent(now, now.Node))
	return now, nil
}

// giveUpAway makes a VM that is elsewhere a lost one. What its last move needed here is freed.
func (vm *VM) giveUpAway(seen *pb.VM) error {
	if _, err := vm.node.hub.Link(seen.Node); err == nil {
		return status.Errorf(codes.FailedPrecondition, "%s is connected: `migratectl stop` or `recall` reach the VM", seen.Node)
	}
	for _, t := range vm.node.incoming() { // on its way back, from a node that says no more
		if t.VM.Id == vm.id {
			t.Abort("it was given up here")
			<-t.Gone()
		}
	}
	if err := vm.lostElsewhere(seen); err != nil {
		return err
	}
	vm.giveUp(move.ErrGivenUp)
	return nil
}

// lostElsewhere writes down that a VM which is elsewhere is given up.
func (vm *VM) lostElsewhere(seen *pb.VM) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.rec.Generation != seen.Generation || vm.rec.State != pb.VMState_VM_STATE_AWAY {
		return status.Error(codes.Aborted, "the VM has moved on at this moment: look where it is")
	}
	last := vm.rec.Stays[len(vm.rec.Stays)-1]
	end, err := vm.log.Next(last.Generation)
	if err == nil {
		err = vm.log.Finish(last.Generation, end)
	}
	if err != nil {
		return err
	}
	vm.log.End()
	return vm.updateLocked(func(rec *pb.VM) {
		last.LogEnd = end
		setGivenUp(rec)
	})
}

// endElsewhere ends what is left of a VM that was given up, once its node is seen again.
func (vm *VM) endElsewhere(ctx context.Context, stay *pb.Stay) {
	for ctx.Err() == nil {
		l, err := vm.node.hub.Wait(ctx, stay.Node)
		if err == nil {
			_, err = l.Client().ForwardStop(ctx, &pb.StopRequest{Vm: vm.id, Grace: durationpb.New(0)})
		}
		if code := status.Code(err); err == nil || code == codes.NotFound || code == codes.FailedPrecondition {
			err = vm.releaseOver(ctx, l, stay)
		}
		if err == nil {
			return
		}
		move.Pause(ctx, retryPause)
	}
}
