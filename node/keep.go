package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A VM that has left may come back. Until then its memory is kept, so that only what changed
// meanwhile has to travel; it is given up, the oldest first, beyond a limit and where a VM needs
// the room, when the VM ends, and with this daemon.

// A keeper has the memory of VMs that were here.
type keeper struct {
	mu    sync.Mutex
	limit uint64            // bytes
	all   []*keptVM         // the oldest first, one of a VM
	out   map[string]*outVM // by VM: those whose memory may come at any moment, or come back
}

// An outVM is one that may end meanwhile: then its memory is of no use.
type outVM struct {
	home  string
	ended bool
}

type keptVM struct {
	id     string // of the VM
	home   string
	memory vmproc.Kept
}

// add keeps a VM's memory, in place of what was kept of it before, unless it has ended since it
// was expected.
func (k *keeper) add(id, home string, memory vmproc.Kept) {
	k.mu.Lock()
	out := k.out[id]
	delete(k.out, id)
	if out != nil && out.ended {
		k.mu.Unlock()
		memory.Close()
		return
	}
	old := k.removeLocked(id)
	k.all = append(k.all, &keptVM{id, home, memory})
	k.mu.Unlock()
	if old != nil {
		old.Close()
	}
	go func() { // somebody may have killed its process
		<-memory.Done()
		k.mu.Lock()
		all := len(k.all)
		k.all = slices.DeleteFunc(k.all, func(v *keptVM) bool { return v.memory == memory })
		killed := len(k.all) < all
		k.mu.Unlock()
		if killed {
			memory.Close() // what it leaves
		}
	}()
	k.trim()
}

// removeLocked takes out what is kept of a VM; nil: nothing. k.mu is held.
func (k *keeper) removeLocked(id string) vmproc.Kept {
	for i, v := range k.all {
		if v.id == id {
			k.all = slices.Delete(k.all, i, i+1)
			return v.memory
		}
	}
	return nil
}

// expect says that a VM's memory may be added, or that it will not (settle).
func (k *keeper) expect(id, home string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.out[id] == nil {
		k.out[id] = &outVM{home: home}
	}
}

func (k *keeper) settle(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.out, id)
}

// take hands over what is kept of a VM; nil: nothing. It may come back.
func (k *keeper) take(id, home string) vmproc.Kept {
	k.expect(id, home)
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.removeLocked(id)
}

// drop gives up what is kept of a VM that has ended, and what may come.
func (k *keeper) drop(id string) {
	k.mu.Lock()
	memory := k.removeLocked(id)
	if out := k.out[id]; out != nil {
		out.ended = true
	}
	k.mu.Unlock()
	if memory != nil {
		memory.Close()
	}
}

// dropOldest gives up what was kept first, and says whether there was anything.
func (k *keeper) dropOldest() bool {
	k.mu.Lock()
	if len(k.all) == 0 {
		k.mu.Unlock()
		return false
	}
	oldest := k.all[0]
	k.all = slices.Delete(k.all, 0, 1)
	k.mu.Unlock()
	oldest.memory.Close() // its process is gone, or killed
	return true
}

// trim gives up what is beyond the limit.
func (k *keeper) trim() {
	for {
		bytes, _ := k.sums()
		k.mu.Lock()
		limit := k.limit
		k.mu.Unlock()
		if bytes <= limit || !k.dropOldest() {
			return
		}
	}
}

func (k *keeper) setLimit(limit uint64) {
	k.mu.Lock()
	k.limit = limit
	k.mu.Unlock()
	k.trim()
}

// enabled says whether anything may be kept.
func (k *keeper) enabled() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.limit > 0
}

// sums returns how much memory is kept, of how many VMs.
func (k *keeper) sums() (bytes uint64, vms int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range k.all {
		bytes += v.memory.Bytes()
	}
	return bytes, len(k.all)
}

// homeOf is the home of a VM of which something is kept; empty: nothing is.
func (k *keeper) homeOf(id string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range k.all {
		if v.id == id {
			return v.home
		}
	}
	if out := k.out[id]; out != nil {
		return out.home
	}
	return ""
}

// close gives up everything, for good.
func (k *keeper) close() { k.setLimit(0) }

// keepTimeout is how long a process may take to free all but memory.
const keepTimeout = 10 * time.Second

// part ends a guest that is not this node's any more, and keeps its memory where that may be.
func (n *Node) part(vm *VM, guest vmproc.VM) error {
	home := vm.view().Home
	n.kept.expect(vm.id, home)
	defer n.kept.settle(vm.id)
	if vm.isUseless() || !n.kept.enabled() {
		return guest.Close()
	}
	ctx, cancel := context.WithTimeout(n.ctx, keepTimeout)
	defer cancel()
	memory, err := guest.Keep(ctx)
	if err != nil {
		n.log.Debug("memory of a VM that has left is not kept", "vm", vm.id, "err", err)
		return nil
	}
	n.kept.add(vm.id, home, memory)
	return nil
}

// unkeep tells those where a VM was that it has ended. Who is out of sight gives its memory up
// in time.
func (vm *VM) unkeep() {
	n := vm.node
	n.kept.drop(vm.id)
	if !vm.home {
		return
	}
	told := map[string]bool{n.cfg.Name: true}
	for _, stay := range vm.view().Stays {
		l, err := n.hub.Link(stay.Node)
		if told[stay.Node] || err != nil {
			continue
		}
		told[stay.Node] = true
		n.spawn(func() {
			ctx, cancel := context.WithTimeout(n.ctx, n.live.Load().Timeouts.Stall)
			defer cancel()
			if _, err := l.Client().Unkeep(ctx, &pb.UnkeepRequest{Vm: vm.id}); err != nil {
				n.log.Debug("tell that a VM has ended", "vm", vm.id, "to", stay.Node, "err", err)
			}
		})
	}
}

// holders are the VMs of an id whose memory may be here, also one that is known only because its
// process still serves.
func (n *Node) holders(id string) (all []*VM) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if vm := n.vms[id]; vm != nil {
		all = append(all, vm)
	}
	for _, s := range n.served {
		if s.vm != nil && s.vm.id == id {
			all = append(all, s.vm)
		}
	}
	return all
}

// Unkeep gives up what is kept of a VM of the caller's.
func (s *peerServer) Unkeep(ctx context.Context, req *pb.UnkeepRequest) (*pb.UnkeepResponse, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	home := s.node.kept.homeOf(req.Vm)
	for _, vm := range s.node.holders(req.Vm) { // it may not have let go of it yet
		if home = vm.view().Home; home == from.Name() {
			vm.mu.Lock()
			vm.useless = true
			vm.mu.Unlock()
		}
	}
	if home != "" && home != from.Name() {
		return nil, status.Errorf(codes.PermissionDenied, "%s is not the VM's home", from.Name())
	}
	s.node.kept.drop(req.Vm)
	return &pb.UnkeepResponse{}, nil
}
