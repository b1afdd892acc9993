package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// retryPause is between attempts to go on with what a cut link interrupted.
const retryPause = 100 * time.Millisecond

// followStays begins to fetch the log of each stay elsewhere, until that node knows that it is
// not needed any more. Only a VM's home does.
func (vm *VM) followStays() {
	if !vm.home {
		return
	}
	vm.mu.Lock()
	defer vm.mu.Unlock()
	for _, stay := range vm.rec.Stays {
		if stay.Node == vm.node.cfg.Name || vm.follows[stay.Generation] || stay.Released {
			continue
		}
		vm.follows[stay.Generation] = true
		complete := vm.log.Complete(stay.Generation) && !(vm.rec.GivenUp && stay.Generation == vm.rec.Generation)
		stay := proto.CloneOf(stay)
		vm.node.spawn(func() {
			if !complete {
				vm.follow(stay)
				return
			}
			vm.release(vm.node.ctx, stay) // an earlier daemon did not come to it
		})
	}
}

// follow fetches the log of one stay and hears what becomes of the VM there.
func (vm *VM) follow(stay *pb.Stay) {
	ctx, cancel := context.WithCancel(vm.life)
	defer cancel()
	vm.node.spawn(func() { vm.feedAway(ctx, stay) })
	for ctx.Err() == nil && !vm.view().GivenUp {
		err := vm.followOver(ctx, stay)
		if err == nil {
			cancel() // nothing is fed there any more
			vm.release(vm.node.ctx, stay)
			return
		}
		if status.Code(err) == codes.NotFound {
			vm.lose(stay)
			return
		}
		vm.node.log.Debug("log is not followed", "vm", vm.id, "at", stay.Node, "err", err)
		move.Pause(ctx, retryPause)
	}
	if vm.view().GivenUp {
		cancel()
		vm.endElsewhere(vm.node.ctx, stay)
	}
}

// followOver uses one link for as long as it holds; nil when the stay is over.
func (vm *VM) followOver(ctx context.Context, stay *pb.Stay) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := vm.node.hub.Wait(ctx, stay.Node)
	if err != nil {
		return err
	}
	offset, err := vm.log.Next(stay.Generation)
	if err != nil {
		return err
	}
	stream, err := l.Client().Follow(ctx, &pb.FollowRequest{Vm: vm.id, Generation: stay.Generation, Offset: offset})
	if err != nil {
		return err
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return err
		}
		switch e := event.Event.(type) {
		case *pb.FollowEvent_Log:
			err = vm.log.Append(stay.Generation, e.Log.Offset, e.Log.Frames)
		case *pb.FollowEvent_Vm:
			err = vm.adopt(e.Vm, stay)
		case *pb.FollowEvent_End:
			return vm.endStay(e.End, stay)
		}
		if err != nil {
			return err
		}
	}
}

// release tells a stay's node that its log is not needed any more, until it has heard it.
func (vm *VM) release(ctx context.Context, stay *pb.Stay) {
	if vm.node.cfg.releasing != nil {
		vm.node.cfg.releasing()
	}
	for ctx.Err() == nil {
		l, err := vm.node.hub.Wait(ctx, stay.Node)
		if err == nil {
			err = vm.releaseOver(ctx, l, stay)
		}
		if err == nil {
			return
		}
		vm.node.log.Debug("release", "vm", vm.id, "at", stay.Node, "err", err)
		move.Pause(ctx, retryPause)
	}
}

// releaseOver is release over one link, tried once.
func (vm *VM) releaseOver(ctx context.Context, l *link.Link, stay *pb.Stay) error {
	_, err := l.Client().Release(ctx, &pb.ReleaseRequest{Vm: vm.id, Generation: stay.Generation})
	if err != nil && status.Code(err) != codes.NotFound {
		return err
	}
	vm.released(stay)
	return nil
}

// released writes down that a stay's node has nothing more of it.
func (vm *VM) released(stay *pb.Stay) {
	vm.note(func(rec *pb.VM) {
		for _, s := range rec.Stays {
			if s.Generation == stay.Generation {
				s.Released = true
			}
		}
	})
}

// endStay is told once home has all of a stay's log.
func (vm *VM) endStay(end *pb.StayEnd, stay *pb.Stay) error {
	if end.Vm == nil {
		return errors.New("the host does not say what became of the VM")
	}
	if err := vm.log.Finish(stay.Generation, end.LogEnd); err != nil {
		return err
	}
	if !over(end.Vm.State) {
		return vm.adopt(end.Vm, stay)
	}
	vm.log.End()
	defer vm.unkeep()
	vm.node.happened(endEvent(end.Vm, stay.Node))
	err := vm.update(func(rec *pb.VM) {
		rec.State, rec.Exit, rec.Ended, rec.Note = end.Vm.State, end.Vm.Exit, end.Vm.Ended, end.Vm.Note
		rec.MovingTo = ""
		mergeMoves(rec, end.Vm)
		for _, s := range rec.Stays {
			if s.Generation == stay.Generation {
				s.LogEnd = end.LogEnd
			}
		}
	})
	vm.node.prune()
	return err
}

// adopt takes over what a VM's host says of it: how it does, and where it went.
func (vm *VM) adopt(seen *pb.VM, from *pb.Stay) error {
	if seen.Id != vm.id {
		return fmt.Errorf("%s speaks of another VM", from.Node)
	}
	vm.mu.Lock()
	err := vm.adoptLocked(seen, from)
	vm.mu.Unlock()
	vm.followStays()
	return err
}

func (vm *VM) adoptLocked(seen *pb.VM, from *pb.Stay) error {
	if over(vm.rec.State) || seen.Generation < vm.rec.Generation ||
		seen.Generation == vm.rec.Generation && vm.rec.Node != from.Node {
		// Old news: it is where seen says, or farther on.
		return vm.updateLocked(func(rec *pb.VM) { mergeMoves(rec, seen) })
	}
	for _, stay := range seen.Stays {
		if err := vm.addStay(stay); err != nil {
			return err
		}
	}
	return vm.updateLocked(func(rec *pb.VM) {
		mergeMoves(rec, seen)
		last := rec.Stays[len(rec.Stays)-1]
		rec.Generation, rec.Node = last.Generation, last.Node
		rec.State = pb.VMState_VM_STATE_AWAY
		rec.Isa, rec.Level, rec.Note, rec.MovingTo = seen.Isa, seen.Level, seen.Note, seen.MovingTo
		rec.Confinement = seen.Confinement
		rec.DependsOn, rec.Lacks = seen.DependsOn, seen.Lacks
	})
}

// addStay puts a stay of which home hears for the first time behind those it knows.
// vm.mu is held.
func (vm *VM) addStay(stay *pb.Stay) error {
	last := vm.rec.Stays[len(vm.rec.Stays)-1]
	if stay.Generation <= last.Generation {
		return nil
	}
	if stay.Generation != last.Generation+1 || stay.LogStart < last.LogStart {
		return fmt.Errorf("stay %d does not follow stay %d", stay.Generation, last.Generation)
	}
	if err := vm.log.Finish(last.Generation, stay.LogStart); err != nil {
		return err
	}
	last.LogEnd = stay.LogStart
	if err := vm.log.Begin(stay.Generation, stay.LogStart); err != nil {
		return err
	}
	vm.rec.Stays = append(vm.rec.Stays, &pb.Stay{
		Generation: stay.Generation, Node: stay.Node, LogStart: stay.LogStart, LogEnd: -1,
	})
	return nil
}

// lose is for a host that knows nothing of a VM that it took.
func (vm *VM) lose(stay *pb.Stay) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if over(vm.rec.State) || vm.rec.Generation != stay.Generation {
		return
	}
	vm.log.End()
	err := vm.updateLocked(func(rec *pb.VM) {
		rec.State = pb.VMState_VM_STATE_LOST
		rec.Ended = timestamppb.Now()
		rec.Note = stay.Node + " knows nothing of it any more"
	})
	if err != nil {
		vm.node.log.Error("keep record", "vm", vm.id, "err", err)
	}
	vm.node.happened(endEvent(vm.rec, stay.Node))
	vm.node.spawn(vm.unkeep) // when the lock is free
}

// mergeMoves adds the moves that another node has seen.
func mergeMoves(rec, seen *pb.VM) {
	for _, m := range seen.Moves {
		known := slices.ContainsFunc(rec.Moves, func(o *pb.Move) bool {
			return o.From == m.From && o.Started.AsTime().Equal(m.Started.AsTime())
		})
		if !known {
			rec.Moves = append(rec.Moves, m)
		}
	}
	slices.SortStableFunc(rec.Moves, func(a, b *pb.Move) int {
		return a.Started.AsTime().Compare(b.Started.AsTime())
	})
	trimMoves(rec)
}

// keepMoves is how many accounts of moves a record has; the oldest are dropped.
const keepMoves = 100

func trimMoves(rec *pb.VM) {
	if n := len(rec.Moves); n > keepMoves {
		rec.Moves = slices.Clone(rec.Moves[n-keepMoves:])
	}
}

// tell is the host's side of followOver: log, changes, and the end of a stay.
func (vm *VM) tell(req *pb.FollowRequest, stream pb.Peer_FollowServer) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	pieces := make(chan *pb.LogChunk)
	failed := make(chan error, 1)
	go func() {
		offset := req.Offset
		for {
			frames, err := vm.log.ReadStay(ctx, req.Generation, offset)
			if err != nil {
				failed <- err
				return
			}
			select {
			case pieces <- &pb.LogChunk{Offset: offset, Frames: frames}:
			case <-ctx.Done():
				return
			}
			offset += int64(len(frames))
		}
	}()
	for {
		vm.mu.Lock()
		rec, changed := proto.CloneOf(vm.rec), vm.changed
		vm.mu.Unlock()
		var err error
		if stayIsHere := rec.Generation == req.Generation && !over(rec.State); stayIsHere {
			err = stream.Send(&pb.FollowEvent{Event: &pb.FollowEvent_Vm{Vm: rec}})
		}
		for unchanged := true; unchanged && err == nil; {
			select {
			case piece := <-pieces:
				err = stream.Send(&pb.FollowEvent{Event: &pb.FollowEvent_Log{Log: piece}})
			case <-changed:
				unchanged = false
			case err = <-failed:
				if errors.Is(err, io.EOF) {
					return vm.tellEnd(ctx, req.Generation, stream)
				}
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-vm.node.ctx.Done():
				err = status.Error(codes.Unavailable, errShutdown.Error())
			}
		}
		if err != nil {
			return err
		}
	}
}

// tellEnd says what became of the VM once its stay's log is complete.
func (vm *VM) tellEnd(ctx context.Context, generation uint32, stream pb.Peer_FollowServer) error {
	rec, err := vm.await(ctx, func(rec *pb.VM) bool {
		return rec.Generation > generation || over(rec.State)
	})
	if err != nil {
		return err
	}
	for _, stay := range rec.Stays {
		if stay.Generation == generation {
			return stream.Send(&pb.FollowEvent{Event: &pb.FollowEvent_End{
				End: &pb.StayEnd{LogEnd: stay.LogEnd, Vm: rec},
			}})
		}
	}
	return status.Errorf(codes.NotFound, "no stay %d of %s", generation, vm.id)
}
