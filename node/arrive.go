package node

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// prepare reserves a place for a VM that a peer wants to move here.
func (n *Node) prepare(ctx context.Context, from *link.Link, req *pb.PrepareRequest) (*pb.PrepareResponse, error) {
	token, err := link.ParseToken(req.Token)
	if err != nil || req.Vm == nil {
		return nil, status.Error(codes.InvalidArgument, "not a valid request to move a VM")
	}
	certificate, err := channel.ParseDigest(req.Certificate)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	keys, err := channel.NewKeys()
	if err != nil {
		return nil, err
	}
	if err := n.clear(ctx, from, req.Vm.Id); err != nil {
		return nil, err
	}
	if err := n.welcome(from.Name(), req.Vm); err != nil {
		return nil, err
	}
	cfg, err := image.ParseConfig(req.Config)
	if err == nil && image.DigestOf(req.Config) != image.Digest(req.Vm.Image) {
		err = errors.New("the config that came is not that of the VM's image")
	}
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	info, err := n.choose(cfg)
	if err != nil {
		return nil, err
	}
	releaseName, err := n.claimName(req.Vm.Name, req.Vm.Id)
	if err != nil {
		return nil, err
	}
	kept := n.kept.take(req.Vm.Id, req.Vm.Home) // before the room for it is made at its cost
	g, err := n.budget.reserveFor(from.Name(), req.Vm.Memory, n.live.Load().Limits)
	if err != nil {
		releaseName()
		n.kept.settle(req.Vm.Id)
		if kept != nil {
			kept.Close()
		}
		return nil, status.Errorf(codes.ResourceExhausted, "no room: %v", err)
	}
	p := &place{grant: g, releaseName: releaseName, kept: kept, keeper: n.kept, vm: req.Vm}
	build, fetched, err := n.haveBuild(ctx, from, req.Vm, info)
	if err != nil {
		p.release()
		return nil, err
	}
	t, err := n.reserve(&move.Target{Token: token, VM: req.Vm, From: from, Keys: keys, Peer: certificate}, req.Config, build, p)
	if err != nil {
		p.release()
		return nil, err
	}
	// A source that calls it off at this moment finds no move to abort before there is one,
	// but it has ended this request by then.
	if ctx.Err() != nil {
		t.Abort("it was called off")
		return nil, context.Cause(ctx)
	}
	n.happened(moveEvent(pb.EventKind_EVENT_KIND_MOVE_BEGUN, t.Token, t.VM, from.Name(), n.cfg.Name))
	mine := keys.Digest()
	return &pb.PrepareResponse{
		Isa: info.ISA, Level: info.Level, ImageBytes: fetched, PostCopy: t.Guest.Status().GetPostCopy(), Certificate: mine[:],
	}, nil
}

// clear waits until what an earlier move of the VM to here had reserved is free again. A source
// that sends the VM anew has given the earlier move up, though its word may not have come yet.
func (n *Node) clear(ctx context.Context, from *link.Link, id string) error {
	n.mu.Lock()
	all := slices.Collect(maps.Values(n.targets))
	n.mu.Unlock()
	for _, t := range all {
		if t.VM.Id != id {
			continue
		}
		if t.From.Peer().Id == from.Peer().Id {
			t.Abort("it sends the VM anew")
		}
		if !t.Dropped() {
			continue
		}
		select {
		case <-t.Gone():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// A place is what is reserved for a VM before it is here.
type place struct {
	grant       *grant
	releaseName func()
	kept        vmproc.Kept // of the VM's stay before; nil: nothing, or the guest has it
	keeper      *keeper
	vm          *pb.VM
}

func (p *place) release() {
	p.grant.release()
	p.releaseName()
	if p.kept != nil {
		p.keeper.add(p.vm.Id, p.vm.Home, p.kept)
		p.kept = nil
	}
	p.keeper.settle(p.vm.Id)
}

// welcome says whether a VM may come here at all.
func (n *Node) welcome(from string, vm *pb.VM) error {
	if vm.Generation == 0 || len(vm.Stays) != int(vm.Generation) || !idPattern.MatchString(vm.Id) || CheckName(vm.Name) != nil {
		return status.Error(codes.InvalidArgument, "not a valid record of a VM")
	}
	if vm.Home != n.cfg.Name && vm.Home != from {
		if _, err := n.hub.Link(vm.Home); err != nil {
			return status.Errorf(codes.FailedPrecondition,
				"%s has no link to %s, the VM's home: add a [[peer]] to the configuration of one of them", n.cfg.Name, vm.Home)
		}
	}
	for _, t := range n.incoming() {
		if t.VM.Id == vm.Id {
			return status.Error(codes.FailedPrecondition, "the VM is arriving already")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	have := n.vms[vm.Id]
	if have == nil {
		if vm.Home == n.cfg.Name {
			return status.Errorf(codes.FailedPrecondition, "%s is not its home: it does not know it", n.cfg.Name)
		}
		return nil
	}
	rec := have.view()
	if rec.State != pb.VMState_VM_STATE_AWAY || rec.Generation >= vm.Generation || rec.Home != vm.Home {
		return status.Error(codes.FailedPrecondition, "the VM is there already, or has been more recently")
	}
	return nil
}

// reserve makes the guest of a target that has its keys, and waits for its memory.
func (n *Node) reserve(t *move.Target, config []byte, build *image.Build, p *place) (*move.Target, error) {
	token, from, rec := t.Token, t.From, t.VM
	n.mu.Lock()
	vm := n.vms[rec.Id]
	n.mu.Unlock()
	isNew := vm == nil
	if isNew {
		var err error
		if vm, err = n.newVM(arriving(rec, n.cfg.Name)); err != nil {
			return nil, err
		}
	}
	clean := func() error {
		if isNew {
			return vm.log.Remove()
		}
		return nil
	}
	returns := p.kept != nil
	guest, err := n.makeGuest(vm, config, build, rec.Memory, rec.Generation, func(s *vmproc.Spec) { s.Resume, s.Kept = true, p.kept })
	p.kept = nil // it is the guest's, or gone
	if err != nil {
		return nil, errors.Join(err, clean())
	}
	t.Guest, t.Links, t.Timeouts = guest, n.hub, n.live.Load().Timeouts
	t.Log, t.Node = n.log.With("move", token), n.ctx
	a := &arrival{node: n, vm: vm, target: t, place: p, isNew: isNew, info: build.Info, owned: make(chan struct{})}
	t.Arm, t.Fill, t.Own, t.Started = a.arm, a.fill, a.own, a.started
	t.Drop = func(reason error) {
		failed := moveEvent(pb.EventKind_EVENT_KIND_MOVE_FAILED, token, rec, from.Name(), n.cfg.Name)
		failed.Reason = reason.Error()
		n.happened(failed)
		free := guest.Close
		if returns { // it may try again
			free = func() error { return n.part(vm, guest) }
		}
		err := errors.Join(free(), vm.log.Discard(rec.Generation), clean())
		p.release()
		if err = errors.Join(err, n.tidy(vm)); err != nil {
			n.log.Error("free VM", "vm", rec.Id, "err", err)
		}
		n.retire(token)
	}
	n.mu.Lock()
	n.targets[token] = t
	n.mu.Unlock()
	if err := t.Receive(n.hub); err != nil {
		n.dropTarget(token)
		return nil, errors.Join(err, guest.Close(), clean())
	}
	return t, nil
}

func (n *Node) dropTarget(token link.Token) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.targets, token)
}

// retire forgets a move that came to nothing, when the source has had time to hear why.
func (n *Node) retire(token link.Token) {
	time.AfterFunc(n.live.Load().Timeouts.Stall, func() { n.dropTarget(token) })
}

// arriving is the record of a VM before it is owned here.
func arriving(rec *pb.VM, here string) *pb.VM {
	rec = proto.CloneOf(rec)
	rec.State = pb.VMState_VM_STATE_ARRIVING
	rec.Node = here
	rec.MovingTo = here
	return rec
}

// An arrival makes a VM that has come this node's own.
type arrival struct {
	node   *Node
	vm     *VM
	target *move.Target
	place  *place
	isNew  bool // the VM has not been here, and this is not its home
	info   image.BuildInfo
	before *pb.VM        // the record to go back to
	owned  chan struct{} // closed when the journal says that the VM is this node's
}

// arm gets the guest ready to start. What it prints is held back until the VM is this node's.
func (a *arrival) arm(arrived move.Arrival) error {
	coming := a.target.VM
	f, err := a.vm.log.Create(coming.Generation)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.target.Guest.Arm(&pb.ProcessArm{
		Vm: coming, Left: arrived.Left, LogBase: arrived.LogEnd, InputAccepted: arrived.InputAccepted, Hold: true,
	}, f)
}

// fill begins to fetch what the guest lacks.
func (a *arrival) fill(arrived move.Arrival) {
	if arrived.Missing > 0 {
		a.node.spawn(func() { a.vm.fill(a.target.Guest, a.target.From.Name(), arrived.Rest, arrived.Filling, a.owned) })
	}
}

// own journals that the VM is this node's. Its guest runs already.
func (a *arrival) own(arrived move.Arrival) error {
	vm := a.vm
	vm.mu.Lock()
	defer vm.mu.Unlock()
	a.before = proto.CloneOf(vm.rec)
	if err := a.take(arrived); err != nil {
		return errors.Join(err, a.undo())
	}
	vm.guest, vm.grant = a.target.Guest, a.place.grant
	return nil
}

// take changes record, log and journal. vm.mu is held.
func (a *arrival) take(arrived move.Arrival) error {
	n, vm, coming := a.node, a.vm, a.target.VM
	stays := append(slices.Clone(coming.Stays),
		&pb.Stay{Generation: coming.Generation, Node: n.cfg.Name, LogStart: arrived.LogEnd, LogEnd: -1})
	stays[len(stays)-2].LogEnd = arrived.LogEnd
	if vm.home { // it may hear for the first time of stays before this one
		for _, stay := range stays {
			if err := vm.addStay(stay); err != nil {
				return err
			}
		}
	} else {
		if err := vm.log.Begin(coming.Generation, arrived.LogEnd); err != nil {
			return err
		}
		vm.rec.Stays = stays
	}
	rec := vm.rec
	mergeMoves(rec, coming)
	rec.State, rec.Node, rec.Generation = pb.VMState_VM_STATE_RUNNING, n.cfg.Name, coming.Generation
	rec.Isa, rec.Level, rec.MovingTo, rec.Note = a.info.ISA, a.info.Level, "", ""
	rec.DependsOn, rec.Lacks = "", arrived.Missing
	if arrived.Missing > 0 {
		rec.DependsOn = a.target.From.Name()
		rec.Note = lacking(rec)
	}
	rec.Confinement = a.target.Guest.Status().GetConfinement()
	h := &pb.Handover{
		Token:      a.target.Token[:],
		State:      pb.HandoverState_HANDOVER_STATE_OWNER,
		Vm:         vm.id,
		Peer:       a.target.From.Name(),
		Generation: coming.Generation,
		Time:       timestamppb.Now(),
	}
	return vm.saveLocked(func() error { return n.store.TakeOver(h, rec) })
}

// undo restores record, log and journal. vm.mu is held.
func (a *arrival) undo() error {
	vm, n := a.vm, a.node
	var errs []error
	known := make(map[uint32]bool)
	for _, stay := range a.before.Stays {
		known[stay.Generation] = true
	}
	for _, stay := range vm.rec.Stays {
		if !known[stay.Generation] && (vm.home || stay.Node == n.cfg.Name) {
			errs = append(errs, vm.log.Drop(stay.Generation))
		}
	}
	if vm.home { // it goes on where it was
		errs = append(errs, vm.log.Reopen(a.before.Generation))
	}
	vm.rec = a.before
	errs = append(errs, n.store.DeleteHandover(a.target.Token[:]))
	if a.isNew {
		vm.forgotten = true
		errs = append(errs, vm.saveLocked(func() error { return n.store.DeleteVM(vm.id) }))
	} else {
		errs = append(errs, vm.saveLocked(func() error { return n.store.PutVM(vm.rec) }))
	}
	return errors.Join(errs...)
}

// started makes the VM known, once it is this node's.
func (a *arrival) started() {
	n, vm := a.node, a.vm
	close(a.owned)
	n.mu.Lock()
	n.vms[vm.id] = vm
	n.mu.Unlock()
	a.place.releaseName()
	n.kept.settle(vm.id)
	n.dropTarget(a.target.Token)
	vm.serve()
	vm.note(func(*pb.VM) {}) // wake those who wait for the VM
	vm.followStays()
	n.happened(moveEvent(pb.EventKind_EVENT_KIND_MOVE_DONE, a.target.Token, a.target.VM, a.target.From.Name(), n.cfg.Name))
	if home := a.target.VM.Home; home != n.cfg.Name && home != a.target.From.Name() {
		n.spawn(func() { n.tellHome(vm, home) })
	}
}

// tellHome tells a VM's home that it came here from a third node.
func (n *Node) tellHome(vm *VM, home string) {
	for n.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(n.ctx, n.live.Load().Timeouts.Stall)
		l, err := n.hub.Wait(ctx, home)
		if err == nil {
			_, err = l.Client().Arrived(ctx, &pb.ArrivedRequest{Vm: vm.view()})
		}
		cancel()
		if err == nil || status.Code(err) == codes.NotFound {
			return
		}
		move.Pause(n.ctx, retryPause)
	}
}
