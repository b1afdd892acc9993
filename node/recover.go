package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/handover"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// recover takes up what an earlier daemon left behind: records, hand-overs and processes.
func (n *Node) recover() error {
	records, err := n.store.VMs()
	if err != nil {
		return err
	}
	handovers, err := n.store.Handovers()
	if err != nil {
		return err
	}
	for _, rec := range records {
		committed := slices.IndexFunc(handovers, func(h *pb.Handover) bool {
			return h.State == pb.HandoverState_HANDOVER_STATE_COMMITTED && h.Vm == rec.Id && h.Generation == rec.Generation+1
		})
		var h *pb.Handover
		if committed >= 0 {
			h = handovers[committed]
			rec.MovingTo = h.Peer // the record may be older
		}
		if err := n.recoverVM(rec, h); err != nil {
			return fmt.Errorf("take up %s (%s): %w", rec.Name, rec.Id, err)
		}
	}
	if handovers, err = n.store.Handovers(); err != nil { // without those that promised nothing
		return err
	}
	if err := n.recoverStrays(handovers); err != nil {
		return err
	}
	if err := n.clearLogs(); err != nil {
		return err
	}
	return n.recoverHandovers(handovers)
}

// clearLogs removes the logs of VMs that were arriving and never did.
func (n *Node) clearLogs() error {
	dir := filepath.Join(n.cfg.StateDir, "logs")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for logs: %w", err)
	}
	for _, e := range entries {
		if n.vms[e.Name()] != nil || !idPattern.MatchString(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove the log of a VM that never arrived: %w", err)
		}
	}
	return nil
}

// recoverHandovers finishes what the journal says of moves.
func (n *Node) recoverHandovers(handovers []*pb.Handover) error {
	for _, h := range handovers {
		if h.State == pb.HandoverState_HANDOVER_STATE_OWNER && time.Since(h.Time.AsTime()) > keepHandovers {
			if err := n.store.DeleteHandover(h.Token); err != nil {
				return err
			}
			continue
		}
		switch h.State {
		case pb.HandoverState_HANDOVER_STATE_COMMITTED:
			n.spawn(func() { n.settle(h) })
		case pb.HandoverState_HANDOVER_STATE_OWNER:
			if err := n.recoverFill(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepHandovers is how long a node remembers that it owns a VM by a move: a source may ask
// again as long as it was cut off.
const keepHandovers = 30 * 24 * time.Hour

// recoverVM takes up a record of an earlier daemon, and the process of a VM that is here. h is the
// journal's entry of a move from here; nil: there is none.
func (n *Node) recoverVM(rec *pb.VM, h *pb.Handover) error {
	vm, err := n.newVM(rec)
	if err != nil {
		return err
	}
	before := rec.State
	if err := vm.recoverLog(); err != nil {
		return err
	}
	switch before {
	case pb.VMState_VM_STATE_STARTING, pb.VMState_VM_STATE_RUNNING, pb.VMState_VM_STATE_MOVING:
		if err := vm.recoverGuest(h); err != nil {
			return err
		}
	}
	if over(rec.State) {
		vm.log.End()
	}
	if vm.input != nil && !over(rec.State) {
		vm.input = console.ResumeInput()
		vm.giver.expect(vm.endInput)
	}
	n.mu.Lock()
	n.vms[vm.id] = vm
	n.mu.Unlock()
	if err := n.store.PutVM(rec); err != nil {
		return err
	}
	if vm.guest != nil {
		vm.serve()
	} else if before != rec.State && over(rec.State) {
		n.happened(endEvent(rec, ""))
	}
	vm.followStays()
	return nil
}

// recoverLog takes up the logs of a VM's stays that are kept here.
func (vm *VM) recoverLog() error {
	rec, here := vm.rec, vm.node.cfg.Name
	for i, stay := range rec.Stays {
		if !vm.home && (stay.Node != here || !vm.log.Kept(stay.Generation)) {
			continue
		}
		begin := vm.log.Begin
		if live := i == len(rec.Stays)-1 && !over(rec.State) && rec.Node == here && stay.LogEnd < 0; live {
			begin = vm.log.BeginLive // its process may be writing to it
		}
		if err := begin(stay.Generation, stay.LogStart); err != nil {
			return err
		}
		if stay.LogEnd >= 0 {
			if err := vm.log.Finish(stay.Generation, stay.LogEnd); err != nil {
				return err
			}
		}
	}
	return nil
}

// recoverGuest takes over the process of a VM that is here, or says that it is lost.
func (vm *VM) recoverGuest(h *pb.Handover) error {
	n, rec := vm.node, vm.rec
	guest, err := n.cfg.VMs.TakeOver(n.ctx, vm.id, rec.Generation, vm.hooks(rec.Generation))
	if err != nil {
		committed := isCommitted(h, nil)
		n.log.Warn("a VM's process is gone", "vm", rec.Name, "id", rec.Id, "committed", committed, "err", err)
		return vm.recoverLost(committed)
	}
	committed := isCommitted(h, guest.Status())
	if h != nil && !committed { // before it goes on
		if err := n.store.DeleteHandover(h.Token); err != nil {
			guest.Leave()
			return err
		}
	}
	if err := vm.resume(guest, committed); err != nil {
		return errors.Join(err, guest.Close())
	}
	return nil
}

// isCommitted says what the rule makes of the journal's entry and of what the VM's process knows.
// Neither may be there.
func isCommitted(h *pb.Handover, process *pb.ProcessStatus) bool {
	told := process.GetCommitted() || !h.GetAhead()
	return handover.Sending.Recover(h != nil, process != nil, told) == handover.Committed
}

// recoverLost is for a VM whose process is gone. One that was handed over may run elsewhere.
func (vm *VM) recoverLost(committed bool) error {
	rec := vm.rec
	last := rec.Stays[len(rec.Stays)-1]
	if err := vm.log.Mend(last.Generation); err != nil {
		return err
	}
	end, err := vm.log.Next(last.Generation)
	if err != nil {
		return err
	}
	if committed {
		rec.State = pb.VMState_VM_STATE_MOVING
		rec.Note = fmt.Sprintf("its process on %s is gone; whether it runs on %s is asked", vm.node.cfg.Name, rec.MovingTo)
		vm.out = doubtful(rec.MovingTo)
	} else {
		rec.State, rec.Ended, rec.MovingTo = pb.VMState_VM_STATE_LOST, timestamppb.Now(), ""
		rec.Note = "its process on " + vm.node.cfg.Name + " ended while migrated did not run there"
	}
	last.LogEnd = end
	return vm.log.Finish(last.Generation, end)
}

// resume makes a process that was found the VM's guest again. A move that was under way and
// not committed is off.
func (vm *VM) resume(guest vmproc.VM, committed bool) error {
	n, rec := vm.node, vm.rec
	status := guest.Status()
	if status.Vm.GetId() != vm.id {
		return fmt.Errorf("the process that is there is of another VM, %q", status.Vm.GetId())
	}
	if err := vm.log.Grow(rec.Generation, status.LogEnd); err != nil {
		return err
	}
	var err error
	state := pb.VMState_VM_STATE_RUNNING
	switch {
	case committed && status.State != pb.ProcessState_PROCESS_STATE_ENDED:
		state = pb.VMState_VM_STATE_MOVING
		vm.out = doubtful(rec.MovingTo)
	case status.State == pb.ProcessState_PROCESS_STATE_ARMED:
		err = guest.Go(time.Time{})
	case status.State == pb.ProcessState_PROCESS_STATE_AT_REST:
		err = guest.Continue()
	}
	if err != nil && !errors.Is(err, vmm.ErrExited) {
		return fmt.Errorf("let it go on: %w", err)
	}
	if state == pb.VMState_VM_STATE_RUNNING && rec.State == pb.VMState_VM_STATE_MOVING {
		rec.Note = fmt.Sprintf("move to %s failed: migrated on %s ended meanwhile", rec.MovingTo, n.cfg.Name)
		rec.MovingTo = ""
	}
	rec.State, rec.Confinement = state, status.Confinement
	vm.guest, vm.grant = guest, n.budget.claim(cameFrom(rec), rec.Memory)
	if status.Held { // the daemon died before it could
		guest.Release()
	}
	n.log.Info("VM taken over", "vm", rec.Name, "id", vm.id, "state", status.State)
	return nil
}

// recoverStrays sees to processes of which no record speaks: a VM that was started just
// before its daemon died, and those that have left or never arrived.
func (n *Node) recoverStrays(handovers []*pb.Handover) error {
	left, err := n.cfg.VMs.Left()
	if err != nil {
		return err
	}
	for _, l := range left {
		vm := n.vms[l.ID]
		if vm != nil && vm.guest != nil && vm.rec.Generation == l.Generation || serves(handovers, l) {
			continue
		}
		guest, err := n.cfg.VMs.TakeOver(n.ctx, l.ID, l.Generation, vmproc.Hooks{})
		if errors.Is(err, vmproc.ErrGone) {
			continue
		}
		if err != nil {
			return err
		}
		rec := guest.Status().Vm
		unknown := vm == nil && l.Generation == 0 && rec.GetId() == l.ID && rec.Home == n.cfg.Name
		if !unknown {
			n.log.Warn("a VM's process is left over, and ended", "vm", l.ID, "stay", l.Generation)
			if err := guest.Close(); err != nil {
				return err
			}
			continue
		}
		guest.Leave()
		if err := n.recoverVM(rec, nil); err != nil {
			return fmt.Errorf("take up %s (%s): %w", rec.Name, rec.Id, err)
		}
	}
	return nil
}

// serves says whether a process is of a VM that has been handed over, and may have to serve.
func serves(handovers []*pb.Handover, l vmproc.Left) bool {
	return slices.ContainsFunc(handovers, func(h *pb.Handover) bool {
		return h.State == pb.HandoverState_HANDOVER_STATE_COMMITTED && h.Vm == l.ID && h.Generation == l.Generation+1
	})
}

// endLeft ends what is left of a VM that had departed before this daemon started.
func (n *Node) endLeft(h *pb.Handover) {
	vm, err := n.byID(h.Vm)
	if err == nil && vm.view().Generation < h.Generation { // it goes on here
		return
	}
	guest, err := n.cfg.VMs.TakeOver(n.ctx, h.Vm, h.Generation-1, vmproc.Hooks{})
	if err == nil {
		err = guest.Close()
	}
	if err != nil && !errors.Is(err, vmproc.ErrGone) {
		n.log.Error("end what is left of a VM", "vm", h.Vm, "err", err)
	}
}

// settle asks, after a restart, what became of a VM that an earlier daemon had committed.
func (n *Node) settle(h *pb.Handover) {
	life := n.lifeOf(h)
	for life.Err() == nil {
		answer, err := n.askStarted(life, h)
		if err != nil {
			n.log.Debug("hand-over: no answer yet", "vm", h.Vm, "to", h.Peer, "err", err)
			move.Pause(life, retryPause)
			continue
		}
		started := answer.Started
		if started && answer.Lacks {
			if err := n.serveRest(h); errors.Is(err, move.ErrShutdown) {
				return // the next daemon goes on
			} else if err != nil {
				n.log.Warn("hand-over", "vm", h.Vm, "to", h.Peer, "err", err)
				move.Pause(life, retryPause)
				continue
			}
		}
		if vm, err := n.byID(h.Vm); err == nil {
			vm.conclude(h, started)
		}
		n.endLeft(h)
		if err := n.store.DeleteHandover(h.Token); err != nil {
			n.log.Error("hand-over", "vm", h.Vm, "err", err)
		}
		n.happened(settledEvent(n.cfg.Name, h, started))
		return
	}
	if errors.Is(context.Cause(life), move.ErrGivenUp) {
		n.settleGivenUp(h)
	}
}

// settleGivenUp frees what is here of a VM that was handed over and then given up.
func (n *Node) settleGivenUp(h *pb.Handover) {
	var out *outgoing
	if vm, err := n.byID(h.Vm); err == nil {
		vm.unhost()
		out = vm.takeOut()
	}
	n.endLeft(h)
	if err := n.store.DeleteHandover(h.Token); err != nil {
		n.log.Error("hand-over", "vm", h.Vm, "err", err)
	}
	if out != nil {
		close(out.done)
	}
}

// lifeOf is how long the VM of a hand-over is not given up.
func (n *Node) lifeOf(h *pb.Handover) context.Context {
	if vm, err := n.byID(h.Vm); err == nil {
		return vm.life
	}
	return n.ctx
}

// doubtful is a move of an earlier daemon that it had committed.
func doubtful(to string) *outgoing {
	out := &outgoing{to: to, cancel: func(error) {}, done: make(chan struct{})}
	out.doubted.Store(true)
	return out
}

func (n *Node) askStarted(ctx context.Context, h *pb.Handover) (*pb.StartResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, n.live.Load().Timeouts.Stall)
	defer cancel()
	l, err := n.hub.Wait(ctx, h.Peer)
	if err != nil {
		return nil, err
	}
	return l.Client().Start(ctx, &pb.StartRequest{
		Token:     h.Token,
		SinceLeft: durationpb.New(time.Since(h.Time.AsTime())),
	})
}

// conclude writes down what came of a commitment of an earlier daemon.
func (vm *VM) conclude(h *pb.Handover, started bool) {
	rec := vm.view()
	here := rec.Generation+1 == h.Generation
	guest := vm.here()
	switch {
	case !here:
		return
	case started:
		if !over(rec.State) {
			end, err := vm.log.Next(rec.Generation)
			if err != nil {
				vm.node.log.Error("end log", "vm", vm.id, "err", err)
			}
			vm.handOver()
			vm.depart(h.Peer, &pb.Move{From: vm.node.cfg.Name, To: h.Peer, Started: h.Time}, end)
		}
	case guest != nil:
		if err := guest.Continue(); err != nil && !errors.Is(err, vmm.ErrExited) {
			vm.node.log.Error("resume after a failed move", "vm", rec.Name, "err", err)
		}
		vm.note(func(rec *pb.VM) {
			if rec.State == pb.VMState_VM_STATE_MOVING {
				rec.State = pb.VMState_VM_STATE_RUNNING
			}
			rec.MovingTo = ""
			rec.Note = fmt.Sprintf("move to %s failed: it did not start there", h.Peer)
		})
	case !over(rec.State):
		vm.note(func(rec *pb.VM) {
			rec.State, rec.Ended, rec.MovingTo = pb.VMState_VM_STATE_LOST, timestamppb.Now(), ""
			rec.Note = fmt.Sprintf("its process on %s ended, and it did not start on %s", vm.node.cfg.Name, h.Peer)
		})
		vm.log.End()
		vm.node.happened(endEvent(vm.view(), ""))
	}
	vm.mu.Lock()
	out := vm.out
	vm.out = nil
	vm.mu.Unlock()
	if out != nil {
		close(out.done)
	}
}

// cameFrom is the node that a VM was on before; empty for one that has not moved.
func cameFrom(rec *pb.VM) string {
	if len(rec.Stays) < 2 {
		return ""
	}
	return rec.Stays[len(rec.Stays)-2].Node
}
