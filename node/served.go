package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A VM that left by post-copy runs elsewhere, and its record says so; only its process here still
// serves the pages that are missing there.

// A served is the process of such a VM.
type served struct {
	vm    *VM // may have been forgotten by now; nil: it was before this daemon started
	token link.Token
	guest vmproc.VM // nil: it has died
	grant *grant    // nil: it died, or is of an earlier daemon
	over  func()    // ends what watches the target; nil: nothing does
}

// beginServing writes down that a VM is elsewhere, and keeps its process. doubt is called when the
// target has been out of sight for a while.
func (vm *VM) beginServing(token link.Token, to string, account *pb.Move, logEnd int64, doubt func(silence time.Duration)) *served {
	vm.mu.Lock()
	s := &served{vm: vm, token: token, guest: vm.guest, grant: vm.grant}
	leave := vm.leave
	vm.guest, vm.grant, vm.leave = nil, nil, nil
	vm.out = nil
	vm.mu.Unlock()
	if leave != nil {
		leave()
	}
	vm.node.addServed(s)
	vm.depart(to, account, logEnd)
	s.watch(to, doubt)
	return s
}

// watch has the record say how it stands with the target.
func (s *served) watch(to string, doubt func(silence time.Duration)) {
	ctx, cancel := context.WithCancel(s.vm.life)
	done := make(chan struct{})
	s.over = func() {
		cancel()
		select {
		case <-done:
		case <-s.vm.node.ctx.Done():
		}
	}
	s.vm.node.spawn(func() {
		defer close(done)
		s.vm.watchTarget(ctx, to, doubt)
	})
}

func (n *Node) addServed(s *served) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.served[s.token] = s
}

// end is for a process that has nothing more to serve. account is that of the move as it was when
// the VM departed; nil: it has not changed.
func (s *served) end(n *Node, account *pb.Move) {
	n.mu.Lock()
	delete(n.served, s.token)
	n.mu.Unlock()
	if s.over != nil {
		s.over()
	}
	if s.vm != nil {
		s.vm.note(func(rec *pb.VM) {
			if isServing(rec) {
				rec.Note = ""
			}
			for _, m := range rec.Moves {
				if account != nil && m.From == account.From && m.Started.AsTime().Equal(account.Started.AsTime()) {
					m.Total = account.Total
				}
			}
		})
	}
	if s.guest != nil {
		var err error
		if s.vm != nil {
			err = n.part(s.vm, s.guest)
		} else {
			err = s.guest.Close()
		}
		if err != nil {
			n.log.Error("free VM", "err", err)
		}
	}
	if s.grant != nil {
		s.grant.release()
	}
}

// leaveServed lets the processes be that still serve: the next daemon goes on.
func (n *Node) leaveServed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.served {
		if s.guest != nil {
			s.guest.Leave()
		}
	}
}

// isUseless says whether the VM has ended, so that nothing of it need be kept.
func (vm *VM) isUseless() bool {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.useless || over(vm.rec.State)
}

// serveRest goes on to serve what the target of a move lacks, as an earlier daemon did.
func (n *Node) serveRest(h *pb.Handover) error {
	token, err := link.ParseToken(h.Token)
	if err != nil {
		return nil // such a move was never made here
	}
	vm, err := n.byID(h.Vm)
	var s *served
	switch {
	case err == nil && vm.view().Generation+1 == h.Generation:
		end, err := vm.log.Next(vm.view().Generation)
		if err != nil {
			n.log.Error("end log", "vm", vm.id, "err", err)
		}
		out := vm.takeOut()
		s = vm.beginServing(token, h.Peer, &pb.Move{From: n.cfg.Name, To: h.Peer, Started: h.Time}, end, func(time.Duration) {})
		if out != nil {
			close(out.done)
		}
	default: // it has departed already
		if s, err = n.takeServed(h, token, vm); err != nil {
			return err
		}
	}
	rest := &move.Rest{
		Token: token, To: h.Peer, Links: n.hub, Stall: n.live.Load().Timeouts.Stall, Log: n.log.With("vm", h.Vm),
	}
	rest.Started.Store(true)
	if err := move.Drain(n.lifeOf(h), s.guest, rest); errors.Is(err, move.ErrShutdown) {
		return err
	}
	s.end(n, nil)
	return nil
}

// takeServed finds the process of a VM that an earlier daemon has served.
func (n *Node) takeServed(h *pb.Handover, token link.Token, vm *VM) (*served, error) {
	guest, err := n.cfg.VMs.TakeOver(n.ctx, h.Vm, h.Generation-1, vmproc.Hooks{})
	if err != nil && !errors.Is(err, vmproc.ErrGone) {
		return nil, fmt.Errorf("go on to serve memory: %w", err)
	}
	s := &served{vm: vm, token: token, guest: guest}
	if err != nil {
		s.guest = nil
	}
	n.addServed(s)
	if vm != nil {
		s.watch(h.Peer, func(time.Duration) {})
	}
	return s, nil
}

// takeOut takes the move out of a VM that has no more part in it; nil: there is none.
func (vm *VM) takeOut() *outgoing {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	out := vm.out
	vm.out = nil
	return out
}

// serving is what an operator should know of a VM that runs elsewhere and needs this node.
func serving(to string) string {
	return "runs on " + to + " already, which fetches the rest of its memory from here: do not end migrated here for good before that"
}

// unseen is serving while the target is out of sight.
func unseen(to string) string {
	return "runs on " + to + " already, and a part of its memory is still here alone; " + to + " is out of sight, and gets the rest when it is back"
}

// isServing says whether a record's note is one of these.
func isServing(rec *pb.VM) bool {
	return rec.Note == serving(rec.Node) || rec.Note == unseen(rec.Node)
}
