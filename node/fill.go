package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A VM that came by post-copy depends on its source until all of its memory is here. Meanwhile
// it is moved nowhere; whatever of daemons and links ends, its process keeps what it has, and
// whoever needs a page that is not there waits.

// dependsOn refuses what a VM whose memory is not all here cannot do.
func dependsOn(rec *pb.VM) error {
	if rec.DependsOn == "" {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition, "a part of the VM's memory is still on %s: wait until it is here", rec.DependsOn)
}

// fillPatience is how long a move waits for the last of the VM's memory: the source may have
// told its operator already that all of it has gone.
const fillPatience = time.Second

func (vm *VM) awaitFilled() {
	ctx, cancel := context.WithTimeout(vm.node.ctx, fillPatience)
	defer cancel()
	// Whether it waited long enough is seen when the move begins.
	_, _ = vm.await(ctx, func(rec *pb.VM) bool { return rec.DependsOn == "" })
}

// fill fetches what is missing, until all is here or the VM has ended. first is an attempt that has
// begun; nil: none. Nothing is written down of that before the VM is this node's, and owned closed.
func (vm *VM) fill(guest vmproc.VM, from string, rest *link.Expected, first *move.Filling, owned <-chan struct{}) {
	defer rest.Cancel()
	ctx, cancel := context.WithCancelCause(vm.node.ctx)
	defer cancel(nil)
	vm.node.spawn(func() {
		select {
		case <-guest.Done():
			cancel(errors.New("the VM has ended"))
		case <-ctx.Done():
		}
	})
	vm.node.spawn(func() {
		select {
		case <-owned:
			vm.noteSource(ctx, from)
		case <-ctx.Done():
		}
	})
	for ctx.Err() == nil {
		var faults uint64
		var err error
		if first != nil {
			faults, err = first.Wait(ctx)
			first = nil
		} else {
			faults, err = guest.Fill(ctx, move.Incoming(rest), nil)
		}
		if err == nil {
			vm.node.counts.Filled(faults)
			select {
			case <-owned:
				vm.filled()
			case <-ctx.Done():
			}
			return
		}
		vm.node.log.Warn("fetch the rest of a VM's memory", "vm", vm.id, "from", from, "err", err)
		move.Pause(ctx, retryPause)
	}
}

// filled writes down that the VM needs its source no more.
func (vm *VM) filled() {
	err := vm.update(func(rec *pb.VM) { rec.DependsOn, rec.Lacks, rec.Note = "", 0, "" })
	if err != nil {
		vm.node.log.Error("keep record", "vm", vm.id, "err", err)
	}
	vm.node.log.Info("all of the VM's memory is here", "vm", vm.id)
}

// noteSource says in the record whether the source is in sight, for as long as it is needed.
func (vm *VM) noteSource(ctx context.Context, from string) {
	for ctx.Err() == nil {
		l, err := vm.node.hub.Link(from)
		if err != nil {
			vm.noteLacking(func(rec *pb.VM) string {
				return lacking(rec) + "; it is out of sight, and the VM waits where it needs one"
			})
			if l, err = vm.node.hub.Wait(ctx, from); err != nil {
				move.Pause(ctx, retryPause)
				continue
			}
		}
		vm.noteLacking(lacking)
		select {
		case <-l.Done():
		case <-ctx.Done():
		}
	}
}

func (vm *VM) noteLacking(text func(rec *pb.VM) string) {
	vm.note(func(rec *pb.VM) {
		if rec.DependsOn != "" {
			rec.Note = text(rec)
		}
	})
}

func lacking(rec *pb.VM) string {
	return fmt.Sprintf("depends on %s until the %d pages are here that were missing at the start", rec.DependsOn, rec.Lacks)
}

// recoverFill goes on to fill a VM that an earlier daemon had begun to.
func (n *Node) recoverFill(h *pb.Handover) error {
	vm := n.vms[h.Vm]
	if vm == nil || vm.guest == nil || vm.rec.DependsOn != h.Peer || vm.rec.Generation != h.Generation {
		return nil
	}
	if vm.guest.Status().Missing == 0 {
		vm.filled()
		return nil
	}
	token, err := link.ParseToken(h.Token)
	if err != nil {
		return err
	}
	rest, err := n.hub.Expect(token, h.Peer)
	if err != nil {
		return err
	}
	vm.noteLacking(lacking)
	guest, owned := vm.guest, make(chan struct{})
	close(owned)
	n.spawn(func() { vm.fill(guest, h.Peer, rest, nil, owned) })
	return nil
}

// lose ends a VM whose source has nothing more of the memory that it lacks: it would wait for
// good where it needs that.
func (n *Node) lose(ctx context.Context, h *pb.Handover) error {
	from, err := caller(ctx)
	if err != nil {
		return err
	}
	if from.Name() != h.Peer {
		return status.Errorf(codes.PermissionDenied, "the VM came from %s", h.Peer)
	}
	vm, err := n.byID(h.Vm)
	if err != nil {
		return err
	}
	guest := vm.here()
	if guest == nil {
		return nil // it has ended meanwhile
	}
	vm.mu.Lock()
	vm.doom = fmt.Sprintf("its process on %s died while pages of its memory were still there", h.Peer)
	vm.mu.Unlock()
	return guest.Close()
}

// lacks says whether a VM that came by a move still needs pages of its source.
func (n *Node) lacks(h *pb.Handover) bool {
	vm, err := n.byID(h.Vm)
	if err != nil {
		return false
	}
	rec := vm.view()
	return rec.Generation == h.Generation && rec.DependsOn == h.Peer && vm.here() != nil
}
