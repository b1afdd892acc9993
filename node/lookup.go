package node

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// lookup finds a VM by name, id, or the beginning of an id. Of several with one name, the
// one that has not ended counts, or else the last.
func (n *Node) lookup(ref string) (*VM, error) {
	if ref == "" {
		return nil, status.Error(codes.InvalidArgument, "say which VM: a name, or an id of `migratectl ps`")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if vm := n.vms[ref]; vm != nil {
		return vm, nil
	}
	var named *VM
	var namedRec *pb.VM
	var byID []*VM
	for id, vm := range n.vms {
		rec := vm.view()
		if rec.Name == ref && (named == nil || better(rec, namedRec)) {
			named, namedRec = vm, rec
		}
		if strings.HasPrefix(id, ref) {
			byID = append(byID, vm)
		}
	}
	switch {
	case named != nil:
		return named, nil
	case len(byID) == 1:
		return byID[0], nil
	case len(byID) > 1:
		return nil, status.Errorf(codes.InvalidArgument, "several VMs have ids that begin with %q: give more of it", ref)
	}
	return nil, status.Errorf(codes.NotFound, "unknown VM %q: `migratectl ps --all` lists those of %s", ref, n.cfg.Name)
}

// better says whether a is rather meant by a name than b.
func better(a, b *pb.VM) bool {
	if over(a.State) != over(b.State) {
		return over(b.State)
	}
	return a.Created.AsTime().After(b.Created.AsTime())
}

// byID finds a VM that a peer speaks of.
func (n *Node) byID(id string) (*VM, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if vm := n.vms[id]; vm != nil {
		return vm, nil
	}
	return nil, status.Errorf(codes.NotFound, "%s does not know the VM %s", n.cfg.Name, id)
}

// claimName reserves a name for a VM until the VM is known or release is called.
func (n *Node) claimName(name, id string) (release func(), err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	holder, taken := n.names[name]
	for other, vm := range n.vms {
		if rec := vm.view(); rec.Name == name && other != id && n.concerns(rec) {
			holder, taken = other, true
		}
	}
	if taken {
		return nil, status.Errorf(codes.AlreadyExists, "the name %q is taken on %s by the VM %.12s: choose another with --name, or stop that one",
			name, n.cfg.Name, holder)
	}
	n.names[name] = id
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.names, name)
	}, nil
}

// concerns says whether a VM that has not ended is this node's affair: it is here, or will
// come home one day.
func (n *Node) concerns(rec *pb.VM) bool {
	return !over(rec.State) && (rec.Home == n.cfg.Name || rec.Node == n.cfg.Name)
}

// list returns records, those that are arriving too, in the order of their creation.
func (n *Node) list(all bool) []*pb.VM {
	n.mu.Lock()
	var recs []*pb.VM
	known := make(map[string]int)
	for id, vm := range n.vms {
		if rec := vm.view(); n.concerns(rec) || all && over(rec.State) {
			known[id] = len(recs)
			recs = append(recs, rec)
		}
	}
	n.mu.Unlock()
	for _, t := range n.incoming() {
		if i, ok := known[t.VM.Id]; ok {
			if recs[i].State == pb.VMState_VM_STATE_AWAY {
				recs[i].MovingTo = n.cfg.Name
			}
			continue
		}
		rec := arriving(t.VM, n.cfg.Name)
		recs = append(recs, rec)
	}
	slices.SortFunc(recs, func(a, b *pb.VM) int {
		return cmp.Or(a.Created.AsTime().Compare(b.Created.AsTime()), cmp.Compare(a.Id, b.Id))
	})
	return recs
}

// incoming lists the moves to here that are under way. A target locks itself before the
// node, so n.mu must not be held.
func (n *Node) incoming() []*move.Target {
	n.mu.Lock()
	all := slices.Collect(maps.Values(n.targets))
	n.mu.Unlock()
	return slices.DeleteFunc(all, (*move.Target).Dropped)
}

// prune forgets the oldest VMs of this home that have ended.
func (n *Node) prune() {
	n.mu.Lock()
	var ended []*pb.VM
	for _, vm := range n.vms {
		if rec := vm.view(); over(rec.State) && rec.Home == n.cfg.Name {
			ended = append(ended, rec)
		}
	}
	n.mu.Unlock()
	keep := n.live.Load().KeepEnded
	if len(ended) <= keep {
		return
	}
	slices.SortFunc(ended, func(a, b *pb.VM) int { return a.Ended.AsTime().Compare(b.Ended.AsTime()) })
	for _, rec := range ended[:len(ended)-keep] {
		if err := n.forget(rec.Id); err != nil {
			n.log.Error("forget VM", "vm", rec.Id, "err", err)
		}
	}
}

// forget removes a VM's record and log. A VM that is being made or is arriving is kept.
func (n *Node) forget(id string) error {
	n.mu.Lock() // until all is gone: the VM may come again at any moment
	defer n.mu.Unlock()
	return n.forgetLocked(id)
}

func (n *Node) forgetLocked(id string) error {
	vm := n.vms[id]
	if vm == nil {
		return nil
	}
	for _, claimed := range n.names {
		if claimed == id {
			return nil
		}
	}
	delete(n.vms, id)
	if err := vm.erase(); err != nil {
		return err
	}
	if err := vm.log.Remove(); err != nil {
		return fmt.Errorf("remove log: %w", err)
	}
	return nil
}

// tidy forgets a VM that was here for a while, when its home has all of its log.
func (n *Node) tidy(vm *VM) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	rec := vm.view()
	if vm.home || !over(rec.State) && rec.Node == n.cfg.Name || !vm.log.Empty() {
		return nil
	}
	return n.forgetLocked(vm.id)
}

// errNotHere says where a VM is instead.
func errNotHere(vm *VM) error { return notHere(vm.view(), vm.node.cfg.Name) }

// notHere says where the VM of a record is, if not on a node.
func notHere(rec *pb.VM, node string) error {
	switch {
	case over(rec.State):
		return status.Errorf(codes.FailedPrecondition, "the VM %s has ended", rec.Name)
	case rec.Node != node:
		return status.Errorf(codes.FailedPrecondition, "the VM %s is on %s", rec.Name, rec.Node)
	}
	return status.Errorf(codes.FailedPrecondition, "the VM %s does not run yet", rec.Name)
}
