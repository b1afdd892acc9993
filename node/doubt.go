package node

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A committed move whose target is out of sight is in doubt: it is resolved in the background for as
// long as it takes, but whoever asked for it does not wait. A target that never returns is for an
// operator to know, who gives the VM up.

// beInDoubt lets go whoever waits for the move, with what he should know.
func (out *outgoing) beInDoubt(why string) {
	select {
	case out.doubt <- status.Error(codes.Unavailable, why):
	default: // he has been told
	}
	out.doubted.Store(true)
}

// unanswered is what to know of a VM whose target took it and says no more.
func (vm *VM) unanswered(to string) string {
	return fmt.Sprintf("the move is in doubt: %[1]s took the VM and does not say whether it runs there. It is there or at rest here, never both; "+
		"`migratectl ps` shows it as moving until %[1]s answers, which this node asks for as long as it takes. "+
		"Bring %[1]s or the link to it back. If it never returns, %[2]s gives the VM up", to, vm.forgetting())
}

// unserved is what to know of a VM whose target went out of sight before it had all of its memory.
func (vm *VM) unserved(to string, silence time.Duration) string {
	return fmt.Sprintf("the move is in doubt: the VM was started on %[1]s, and %[1]s has been out of sight for %[2]v while a part of the VM's memory was still here alone. "+
		"`migratectl ps` shows it as away on %[1]s, and it does not run here; when %[1]s is back, this node sends it the rest. "+
		"Bring %[1]s or the link to it back, and do not end migrated here for good before. If %[1]s never returns, the VM is lost: %[3]s gives it up", to, silence, vm.forgetting())
}

// unheard is what to know of a VM that is moved from elsewhere, by a node that is out of sight now.
func (vm *VM) unheard(from string) string {
	return fmt.Sprintf("the move is in doubt: %[1]s, from where the VM was to be moved, is out of sight. `migratectl ps` shows where the VM is as far as is known; "+
		"when %[1]s is back, the VM goes on there or the move is ended by itself. If %[1]s never returns, the VM is lost unless it is shown as running elsewhere: %[2]s gives it up", from, vm.forgetting())
}

// forgetting is how to give a VM up.
func (vm *VM) forgetting() string {
	rec := vm.view()
	command := fmt.Sprintf("`migratectl forget %s`", rec.Name)
	if !vm.home {
		command += " on " + rec.Home
	}
	return command
}

// watchTarget says in the record of a VM that is served from here whether its target is in sight,
// and calls doubt once when it has not been for a while. It ends with ctx.
func (vm *VM) watchTarget(ctx context.Context, to string, doubt func(silence time.Duration)) {
	here := vm.node.cfg.Name
	say := func(text string, over bool) { // over: what the target has said too
		vm.note(func(rec *pb.VM) {
			if rec.Node == to && (rec.Note == "" || isServing(rec) || over && rec.DependsOn == here) {
				rec.Note = text
			}
		})
	}
	for ctx.Err() == nil {
		l, err := vm.node.hub.Link(to)
		if err != nil {
			say(unseen(to), true)
			silence := vm.node.live.Load().Timeouts.Doubt
			timer := time.AfterFunc(silence, func() { doubt(silence) })
			l, err = vm.node.hub.Wait(ctx, to)
			timer.Stop()
			if err != nil {
				move.Pause(ctx, retryPause)
				continue
			}
		}
		say(serving(to), false)
		select {
		case <-l.Done():
		case <-ctx.Done():
		}
	}
}

// giveUpMoving gives up a VM whose move is in doubt. It may run at the target, so it is lost as one
// that was there. What is here of it has been ended when this returns.
func (vm *VM) giveUpMoving() error {
	vm.mu.Lock()
	out, to := vm.out, vm.rec.MovingTo
	if out == nil || !out.doubted.Load() {
		vm.mu.Unlock()
		return status.Error(codes.FailedPrecondition, "the VM is here: `migratectl stop` ends it")
	}
	if _, err := vm.node.hub.Link(to); err == nil {
		vm.mu.Unlock()
		return status.Errorf(codes.FailedPrecondition, "%s is connected, and about to say whether the VM runs there", to)
	}
	err := vm.leaveFor(to)
	vm.mu.Unlock()
	if err != nil {
		return err
	}
	vm.giveUp(move.ErrGivenUp)
	<-out.done // from now on the target hears that the move is off
	vm.followStays()
	return nil
}

// leaveFor writes down that a VM which may be elsewhere is given up. vm.mu is held.
func (vm *VM) leaveFor(to string) error {
	last := vm.rec.Generation
	end, err := vm.log.Next(last)
	if err == nil {
		err = vm.log.Finish(last, end)
	}
	if err == nil {
		err = vm.log.Begin(last+1, end)
	}
	if err == nil {
		err = vm.log.Finish(last+1, end)
	}
	if err != nil {
		return err
	}
	vm.log.End()
	return vm.updateLocked(func(rec *pb.VM) {
		rec.Stays[len(rec.Stays)-1].LogEnd = end
		rec.Stays = append(rec.Stays, &pb.Stay{Generation: last + 1, Node: to, LogStart: end, LogEnd: end})
		rec.Generation, rec.Node = last+1, to
		setGivenUp(rec)
	})
}

// setGivenUp makes the record that of a VM which was given up.
func setGivenUp(rec *pb.VM) {
	rec.State, rec.Ended, rec.GivenUp, rec.MovingTo = pb.VMState_VM_STATE_LOST, timestamppb.Now(), true, ""
	rec.Note = fmt.Sprintf("given up; if %s comes back, what still runs there is ended", rec.Node)
}
