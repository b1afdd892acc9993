package node

import (
	"fmt"

	"github.com/migrated/migrated/node/events"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// happened makes an event known to all who watch a node: the journal, the log, the metrics.
func (n *Node) happened(e *pb.Event) {
	n.events.Add(e)
	n.counts.Observe(e)
	events.Log(n.log, e)
}

// Ready says that the daemon serves.
func (n *Node) Ready() { n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_NODE_STARTED}) }

func (n *Node) peerChanged(name, address string, up bool) {
	kind := pb.EventKind_EVENT_KIND_PEER_LOST
	if up {
		kind = pb.EventKind_EVENT_KIND_PEER_CONNECTED
	}
	n.happened(&pb.Event{Kind: kind, Peer: name, Address: address})
}

// endEvent tells of a VM that has ended, here or on another node.
func endEvent(rec *pb.VM, elsewhere string) *pb.Event {
	e := &pb.Event{Kind: pb.EventKind_EVENT_KIND_VM_EXITED, Vm: rec.Id, VmName: rec.Name, Peer: elsewhere}
	if rec.State == pb.VMState_VM_STATE_LOST {
		e.Kind, e.Reason = pb.EventKind_EVENT_KIND_VM_LOST, rec.Note
		return e
	}
	e.Exit = &pb.Exit{Code: rec.Exit.GetCode(), Signal: rec.Exit.GetSignal()}
	if c := rec.Exit.GetCrash(); c != nil {
		e.Kind, e.Reason = pb.EventKind_EVENT_KIND_VM_CRASHED, c.Reason
		if c.Reason == "" {
			e.Reason = c.Message
		}
	}
	return e
}

// settledEvent tells what came of a move that an earlier daemon had committed.
func settledEvent(here string, h *pb.Handover, started bool) *pb.Event {
	e := &pb.Event{
		Kind: pb.EventKind_EVENT_KIND_RECOVERY, Vm: h.Vm, Move: fmt.Sprintf("%x", h.Token), From: here, To: h.Peer,
		Reason: fmt.Sprintf("the VM was handed over before the restart, and runs on %s", h.Peer),
	}
	if !started {
		e.Reason = fmt.Sprintf("the VM was handed over before the restart, and %s did not start it", h.Peer)
	}
	return e
}

func moveEvent(kind pb.EventKind, token link.Token, vm *pb.VM, from, to string) *pb.Event {
	return &pb.Event{Kind: kind, Vm: vm.Id, VmName: vm.Name, Move: token.String(), From: from, To: to}
}

// A moveWatch tells of a move from here.
type moveWatch struct {
	node  *Node
	src   *move.Source
	phase pb.MovePhase
	kind  pb.MoveKind // as far as it has been chosen
}

func (w *moveWatch) tell(kind pb.EventKind, with func(*pb.Event)) {
	e := moveEvent(kind, w.src.Token, w.src.VM, w.src.From, w.src.To)
	e.MoveKind = w.kind
	with(e)
	w.node.happened(e)
}

func (w *moveWatch) begin(src *move.Source) {
	w.src, w.kind = src, src.Options.GetKind()
	w.tell(pb.EventKind_EVENT_KIND_MOVE_BEGUN, func(*pb.Event) {})
}

// progress tells of each phase once. The move calls it, so one goroutine does.
func (w *moveWatch) progress(p *pb.MoveEvent) {
	if kind := p.Rate.GetKind(); kind != pb.MoveKind_MOVE_KIND_UNSPECIFIED {
		w.kind = kind
	}
	if p.Phase == w.phase || p.Phase == pb.MovePhase_MOVE_PHASE_DONE {
		return
	}
	w.phase = p.Phase
	w.tell(pb.EventKind_EVENT_KIND_MOVE_PHASE, func(e *pb.Event) { e.Phase = p.Phase })
}

func (w *moveWatch) doubt(why string) {
	w.tell(pb.EventKind_EVENT_KIND_MOVE_IN_DOUBT, func(e *pb.Event) { e.Reason = why })
}

func (w *moveWatch) failed(err error) {
	w.tell(pb.EventKind_EVENT_KIND_MOVE_FAILED, func(e *pb.Event) { e.Phase, e.Reason = w.phase, err.Error() })
}

func (w *moveWatch) done(account *pb.Move) {
	w.tell(pb.EventKind_EVENT_KIND_MOVE_DONE, func(e *pb.Event) { e.Account, e.MoveKind = account, account.Kind })
}
