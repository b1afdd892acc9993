package node

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// recover takes up what an earlier daemon left behind.
func (n *Node) recover() error {
	records, err := n.store.VMs()
	if err != nil {
		return err
	}
	for _, rec := range records {
		if err := n.recoverVM(rec); err != nil {
			return fmt.Errorf("take up %s (%s): %w", rec.Name, rec.Id, err)
		}
	}
	return n.recoverHandovers()
}

// recoverHandovers finishes what the journal says of moves. A VM dies with its daemon, so
// the target of a commitment either has it or it is lost.
func (n *Node) recoverHandovers() error {
	handovers, err := n.store.Handovers()
	if err != nil {
		return err
	}
	for _, h := range handovers {
		if h.State == pb.HandoverState_HANDOVER_STATE_OWNER && time.Since(h.Time.AsTime()) > keepHandovers {
			if err := n.store.DeleteHandover(h.Token); err != nil {
				return err
			}
			continue
		}
		if h.State == pb.HandoverState_HANDOVER_STATE_COMMITTED {
			n.spawn(func() { n.settle(h) })
		}
	}
	return nil
}

// keepHandovers is how long a node remembers that it owns a VM by a move: a source may ask
// again as long as it was cut off.
const keepHandovers = 30 * 24 * time.Hour

// recoverVM takes up a record of an earlier daemon. A VM that was here died with it.
func (n *Node) recoverVM(rec *pb.VM) error {
	vm, err := n.newVM(rec)
	if err != nil {
		return err
	}
	lost := false
	switch rec.State {
	case pb.VMState_VM_STATE_STARTING, pb.VMState_VM_STATE_RUNNING, pb.VMState_VM_STATE_MOVING:
		lost = true
		rec.State = pb.VMState_VM_STATE_LOST
		rec.Ended = timestamppb.Now()
		rec.MovingTo = ""
		rec.Note = "migrated on " + n.cfg.Name + " ended while the VM was there"
	}
	for i, stay := range rec.Stays {
		if !vm.home && (stay.Node != n.cfg.Name || !vm.log.Kept(stay.Generation)) {
			continue
		}
		if err := vm.log.Begin(stay.Generation, stay.LogStart); err != nil {
			return err
		}
		if stay.LogEnd < 0 && stay.Node == n.cfg.Name {
			if stay.LogEnd, err = vm.log.Next(stay.Generation); err != nil {
				return err
			}
		}
		if stay.LogEnd >= 0 {
			if err := vm.log.Finish(stay.Generation, stay.LogEnd); err != nil {
				return err
			}
		}
		if i == len(rec.Stays)-1 && over(rec.State) {
			vm.log.End()
		}
	}
	if vm.input != nil { // whoever gave it is gone
		vm.input.CloseWrite()
	}
	n.mu.Lock()
	n.vms[vm.id] = vm
	n.mu.Unlock()
	if err := n.store.PutVM(rec); err != nil {
		return err
	}
	if lost {
		n.happened(endEvent(rec, ""))
	}
	vm.followStays()
	return nil
}

// settle asks, after a restart, what became of a VM that an earlier daemon had committed.
func (n *Node) settle(h *pb.Handover) {
	for n.ctx.Err() == nil {
		started, err := n.askStarted(h)
		if err != nil {
			n.log.Debug("hand-over: no answer yet", "vm", h.Vm, "to", h.Peer, "err", err)
			pause(n.ctx, retryPause)
			continue
		}
		if err := n.store.DeleteHandover(h.Token); err != nil {
			n.log.Error("hand-over", "vm", h.Vm, "err", err)
		}
		n.happened(settledEvent(n.cfg.Name, h, started))
		vm, err := n.byID(h.Vm)
		if err != nil || !started {
			return // its memory died with the daemon: it is lost, as its record says
		}
		vm.revive(h)
		return
	}
}

func (n *Node) askStarted(h *pb.Handover) (bool, error) {
	ctx, cancel := context.WithTimeout(n.ctx, n.live.Load().Timeouts.Stall)
	defer cancel()
	l, err := n.hub.Wait(ctx, h.Peer)
	if err != nil {
		return false, err
	}
	answer, err := l.Client().Start(ctx, &pb.StartRequest{
		Token:     h.Token,
		SinceLeft: durationpb.New(time.Since(h.Time.AsTime())),
	})
	if err != nil {
		return false, err
	}
	return answer.Started, nil
}

// revive corrects the record of a VM that was taken for lost and runs elsewhere.
func (vm *VM) revive(h *pb.Handover) {
	rec := vm.view()
	if rec.State != pb.VMState_VM_STATE_LOST || rec.Generation+1 != h.Generation {
		return
	}
	vm.note(func(rec *pb.VM) { rec.Ended = nil })
	vm.depart(h.Peer, &pb.Move{From: vm.node.cfg.Name, To: h.Peer, Started: timestamppb.New(h.Time.AsTime())},
		rec.Stays[len(rec.Stays)-1].LogEnd)
}
