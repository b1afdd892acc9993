package node

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A VM is what a node knows of one VM: as its home, as its host, or both.
type VM struct {
	node  *Node
	id    string
	home  bool // this node is its home
	log   *console.Log
	input *console.Input // at home only
	giver giver          // of input

	life   context.Context         // ends with the node, or when the VM is given up
	giveUp context.CancelCauseFunc // ends life

	mu        sync.Mutex
	rec       *pb.VM
	changed   chan struct{}      // closed and replaced when rec changes
	guest     vmproc.VM          // nil where it is not here
	grant     *grant             // of guest
	leave     context.CancelFunc // ends what serves the stay here
	out       *outgoing          // the move from here that is under way
	forgotten bool               // the record is not to be written any more
	doom      string             // why the guest is being ended though its program goes on
	follows   map[uint32]bool    // stays elsewhere whose log is being fetched
	useless   bool               // it has ended, and what is here of its memory is of no use

	saving sync.Mutex // held while the record is written; taken with mu held, so that the last one written is the newest
}

// newVM opens what belongs to a record. It is not yet known to the node.
func (n *Node) newVM(rec *pb.VM) (*VM, error) {
	log, err := console.Open(filepath.Join(n.cfg.StateDir, "logs", rec.Id))
	if err != nil {
		return nil, err
	}
	vm := &VM{
		node:    n,
		id:      rec.Id,
		home:    rec.Home == n.cfg.Name,
		log:     log,
		rec:     rec,
		changed: make(chan struct{}),
		follows: make(map[uint32]bool),
	}
	vm.life, vm.giveUp = context.WithCancelCause(n.ctx)
	if vm.home {
		vm.input = console.NewInput()
	}
	return vm, nil
}

// over says whether nothing more will happen to a VM.
func over(s pb.VMState) bool {
	return s == pb.VMState_VM_STATE_EXITED || s == pb.VMState_VM_STATE_LOST
}

// view returns the record as it is now.
func (vm *VM) view() *pb.VM {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return proto.CloneOf(vm.rec)
}

// update changes the record, on disk before it returns, and wakes those who wait for it.
func (vm *VM) update(change func(rec *pb.VM)) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.updateLocked(change)
}

func (vm *VM) updateLocked(change func(rec *pb.VM)) error {
	vm.changeLocked(change)
	return vm.saveLocked(func() error { return vm.node.store.PutVM(vm.rec) })
}

// saveLocked calls put, which writes the record, behind whatever is being written. vm.mu is held.
func (vm *VM) saveLocked(put func() error) error {
	vm.saving.Lock()
	defer vm.saving.Unlock()
	return put()
}

func (vm *VM) changeLocked(change func(rec *pb.VM)) {
	change(vm.rec)
	close(vm.changed)
	vm.changed = make(chan struct{})
}

// note is update for what may be forgotten should the daemon die within the next moment:
// nothing waits for the disk.
func (vm *VM) note(change func(rec *pb.VM)) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.changeLocked(change)
	vm.node.dirty.add(vm)
}

// write brings what was noted to disk. Who looks at the record meanwhile does not wait for that.
func (vm *VM) write() error {
	vm.mu.Lock()
	if vm.forgotten {
		vm.mu.Unlock()
		return nil
	}
	rec := proto.CloneOf(vm.rec)
	vm.saving.Lock()
	vm.mu.Unlock()
	defer vm.saving.Unlock()
	return vm.node.store.PutVM(rec)
}

// erase takes the record off the disk, for good.
func (vm *VM) erase() error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.forgotten = true
	return vm.saveLocked(func() error { return vm.node.store.DeleteVM(vm.id) })
}

// await returns the record once it is as wanted.
func (vm *VM) await(ctx context.Context, wanted func(*pb.VM) bool) (*pb.VM, error) {
	for {
		vm.mu.Lock()
		changed := vm.changed
		if wanted(vm.rec) {
			defer vm.mu.Unlock()
			return proto.CloneOf(vm.rec), nil
		}
		vm.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-vm.node.ctx.Done():
			return nil, errShutdown
		}
	}
}

var errShutdown = errors.New("the node shuts down")

// here returns the guest if it is on this node.
func (vm *VM) here() vmproc.VM {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.guest
}

// serve begins what a running guest needs: its input, and someone to see its end.
func (vm *VM) serve() {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	ctx, cancel := context.WithCancel(vm.node.ctx)
	vm.leave = cancel
	vm.grant.tap()
	guest, generation := vm.guest, vm.rec.Generation
	if vm.input != nil {
		vm.node.spawn(func() { vm.feedGuest(ctx, guest) })
	}
	vm.node.spawn(func() { vm.watch(guest, generation) })
}

// unhost lets go of a guest that has left for good or ended, and frees it.
func (vm *VM) unhost() { vm.letGo(func(g vmproc.VM) error { return g.Close() }) }

// handOver is unhost for a VM that is another node's now: its memory is kept, if there is room.
func (vm *VM) handOver() {
	vm.letGo(func(g vmproc.VM) error { return vm.node.part(vm, g) })
}

func (vm *VM) letGo(free func(vmproc.VM) error) {
	vm.mu.Lock()
	guest, g, leave := vm.guest, vm.grant, vm.leave
	vm.guest, vm.grant, vm.leave = nil, nil, nil
	vm.mu.Unlock()
	if guest == nil {
		return
	}
	if leave != nil {
		leave()
	}
	if err := free(guest); err != nil {
		vm.node.log.Error("free VM", "vm", vm.id, "err", err)
	}
	g.release()
}

// watch sees to a guest's end.
func (vm *VM) watch(guest vmproc.VM, generation uint32) {
	select {
	case <-guest.Done():
	case <-vm.node.ctx.Done():
		return // the next daemon sees to it
	}
	vm.settled() // until then it may be another node's
	if vm.here() != guest {
		return
	}
	ended := guest.Ended()
	vm.mu.Lock()
	doom := vm.doom
	vm.mu.Unlock()
	if doom != "" { // the program did not end by itself
		ended = nil
	}
	end, err := vm.endLog(generation, ended)
	if err != nil {
		vm.node.log.Error("end log", "vm", vm.id, "err", err)
	}
	// The process keeps how the program ended until the record has it.
	vm.mu.Lock()
	rec := vm.rec
	rec.MovingTo, rec.DependsOn, rec.Lacks = "", "", 0
	rec.Stays[len(rec.Stays)-1].LogEnd = end
	if ended != nil {
		rec.State, rec.Ended, rec.Exit, rec.Note = pb.VMState_VM_STATE_EXITED, ended.Time, ended.Exit, ""
	} else {
		rec.State, rec.Ended = pb.VMState_VM_STATE_LOST, timestamppb.Now()
		rec.Note = "its process on " + vm.node.cfg.Name + " was killed"
		if doom != "" {
			rec.Note = doom
		}
	}
	err = vm.saveLocked(func() error { return vm.node.store.PutVM(rec) })
	vm.mu.Unlock()
	if err != nil {
		vm.node.log.Error("keep record", "vm", vm.id, "err", err)
	}
	vm.unhost()
	vm.unkeep()
	vm.log.End()
	vm.note(func(*pb.VM) {}) // wake those who wait for it
	vm.node.happened(endEvent(vm.view(), ""))
	vm.node.prune()
}

// endLog ends the log of a stay with its guest, and returns where.
func (vm *VM) endLog(generation uint32, ended *pb.ProcessEnded) (int64, error) {
	var err error
	if ended == nil {
		err = vm.log.Mend(generation)
	} else {
		err = vm.log.Grow(generation, ended.LogEnd)
	}
	end, nextErr := vm.log.Next(generation)
	if err = errors.Join(err, nextErr); err != nil {
		return end, err
	}
	// Once, though a daemon may have died behind this.
	if crash := ended.GetExit().GetCrash(); crash != nil && end == ended.LogEnd {
		text := crashText(vm.view(), crash)
		if err := vm.log.Write(generation, console.AppendFrames(nil, vmm.Stderr, []byte(text))); err != nil {
			return end, err
		}
		if end, err = vm.log.Next(generation); err != nil {
			return end, err
		}
	}
	return end, vm.log.Finish(generation, end)
}

// hooks are told what happens in the guest's process during a stay.
func (vm *VM) hooks(generation uint32) vmproc.Hooks {
	return vmproc.Hooks{
		Output: func(end int64) {
			if err := vm.log.Grow(generation, end); err != nil {
				vm.node.log.Error("take output", "vm", vm.id, "err", err)
			}
		},
		Said: func(text string) { vm.node.log.Info("guest says", "vm", vm.id, "msg", text) },
		Trouble: func(reason string) {
			vm.node.spawn(func() { vm.note(func(rec *pb.VM) { rec.Note = reason }) })
		},
	}
}

// stop asks the guest here to end, by force after the grace period.
func (vm *VM) stop(ctx context.Context, grace time.Duration) error {
	vm.cancelMove(errors.New("it is being stopped"))
	if err := vm.awaitSettled(ctx); err != nil {
		return err
	}
	guest := vm.here()
	if guest == nil {
		return nil
	}
	if vm.view().DependsOn != "" { // it may wait for a page that never comes
		vm.node.spawn(func() {
			select {
			case <-guest.Done():
			case <-vm.node.ctx.Done():
			case <-time.After(grace + stopPatience):
				if err := guest.Close(); err != nil {
					vm.node.log.Error("end VM", "vm", vm.id, "err", err)
				}
			}
		})
	}
	guest.Stop(grace)
	return nil
}

// stopPatience is how long a guest that was ended by force may take to end.
const stopPatience = 2 * time.Second
