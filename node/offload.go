package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An outgoing is a move from here that is under way.
type outgoing struct {
	to      string                  // empty: to a file
	asked   context.Context         // of whoever asked for it: when that ends, it is called off
	cancel  context.CancelCauseFunc // has no effect after the commitment
	doubt   chan error              // what to know of it, when the target is out of sight after that
	doubted atomic.Bool             // whether it has been
	done    chan struct{}           // closed when it is over
	err     error                   // then: why the VM is still here, if it is

	mu     sync.Mutex
	id     string          // of the move
	last   *pb.MoveEvent   // the newest, for Top
	events []*pb.MoveEvent // that nobody has taken yet
	more   chan struct{}   // has something when events has
}

// busy says what else may be done with the VM meanwhile: nothing.
func (out *outgoing) busy() error {
	if out.to == "" {
		return status.Error(codes.FailedPrecondition, "a checkpoint of the VM is being taken: wait until it is there")
	}
	return status.Errorf(codes.FailedPrecondition, "the VM is moving to %s already", out.to)
}

// offPatience is how long what comes next waits for the end of what has been called off. A move that
// is past its commitment takes longer, and then the next is refused.
const offPatience = time.Second

// awaitOff waits for the end of what nobody asks for any more: who called it off may ask for
// something else at once.
func (vm *VM) awaitOff(ctx context.Context) {
	vm.mu.Lock()
	out := vm.out
	vm.mu.Unlock()
	if out == nil || out.asked.Err() == nil {
		return
	}
	select {
	case <-out.done:
	case <-time.After(offPatience):
	case <-ctx.Done():
	}
}

// A sourceVerdict is what the target of a move may ask about.
type sourceVerdict struct {
	to        string
	committed bool
	leftAt    time.Time
}

// offload moves a VM that is here. It returns once the move is over or in doubt; a caller
// that goes away calls it off, if that is still possible.
func (vm *VM) offload(ctx context.Context, to string, opt *pb.MoveOptions, report func(*pb.MoveEvent) error) error {
	out, err := vm.beginMove(ctx, to, opt)
	if err != nil {
		return err
	}
	pass := func() {
		for _, event := range out.take() {
			if err := report(event); err != nil {
				out.cancel(errors.New("whoever asked for it is gone"))
			}
		}
	}
	for {
		select {
		case <-out.more:
			pass()
		case <-out.done:
			pass()
			return out.err
		case err := <-out.doubt:
			return err
		case <-ctx.Done():
			out.cancel(errors.New("it was called off"))
			<-out.done
			return out.err
		}
	}
}

// report keeps an event for whoever watches; only the last of several in one phase counts.
func (out *outgoing) report(event *pb.MoveEvent) {
	out.mu.Lock()
	out.last = event
	if n := len(out.events); n > 0 && out.events[n-1].Phase == event.Phase {
		out.events[n-1] = event
	} else {
		out.events = append(out.events, event)
	}
	out.mu.Unlock()
	select {
	case out.more <- struct{}{}:
	default:
	}
}

func (out *outgoing) take() []*pb.MoveEvent {
	out.mu.Lock()
	defer out.mu.Unlock()
	events := out.events
	out.events = nil
	return events
}

// beginMove starts a move in the background. asked is the context of whoever asks for it.
func (vm *VM) beginMove(asked context.Context, to string, opt *pb.MoveOptions) (*outgoing, error) {
	if err := move.CheckOptions(opt); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	n := vm.node
	if to == n.cfg.Name {
		return nil, status.Errorf(codes.FailedPrecondition, "the VM is on %s already", to)
	}
	l, err := n.hub.Link(to)
	if err != nil {
		return nil, peerError(err)
	}
	if err := denied(l, trust.Receive); err != nil {
		return nil, err
	}
	vm.awaitFilled()
	vm.awaitOff(asked)
	m, err := n.images.Get(image.Digest(vm.view().Image))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(n.ctx)
	out := &outgoing{
		to:     to,
		asked:  asked,
		cancel: cancel,
		doubt:  make(chan error, 1),
		done:   make(chan struct{}),
		more:   make(chan struct{}, 1),
	}
	watch := &moveWatch{node: n}
	src := &move.Source{
		Config:   m.ConfigBlob(),
		From:     n.cfg.Name,
		To:       to,
		Options:  opt,
		Links:    n.hub,
		Journal:  n.store,
		Timeouts: n.live.Load().Timeouts,
		Node:     vm.life,
		Progress: func(event *pb.MoveEvent) {
			out.report(event)
			watch.progress(event)
			if n.cfg.step != nil {
				n.cfg.step(event)
			}
		},
	}
	n.mu.Lock()
	src.Rate = n.rates[to]
	n.mu.Unlock()
	src.Rated = func(rate float64) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.rates[to] = rate
	}
	rand.Read(src.Token[:]) // never fails
	src.Log = n.log.With("move", src.Token)
	out.id = src.Token.String()
	if err := vm.enterMove(out, src); err != nil {
		cancel(nil)
		return nil, err
	}
	watch.begin(src)
	var logEnd int64
	verdict := &sourceVerdict{to: to}
	src.Committed = func(leftAt time.Time, sent *pb.Sent) {
		logEnd = sent.LogEnd
		n.mu.Lock()
		verdict.committed, verdict.leftAt = true, leftAt
		n.mu.Unlock()
	}
	var rest *served
	src.Serving = func(account *pb.Move) {
		rest = vm.beginServing(src.Token, to, account, logEnd, func(silence time.Duration) {
			watch.doubt(to + " is out of sight, and lacks a part of the VM's memory")
			out.beInDoubt(vm.unserved(to, silence))
		})
	}
	src.Doubt = func() {
		why := to + " does not say whether it runs the VM"
		vm.note(func(rec *pb.VM) { rec.Note = why + "; it is asked until it does" })
		watch.doubt(why)
		out.beInDoubt(vm.unanswered(to))
	}
	n.mu.Lock()
	n.sources[src.Token] = verdict
	n.mu.Unlock()
	n.spawn(func() {
		defer cancel(nil)
		account, err := src.Run(ctx)
		if !errors.Is(err, move.ErrShutdown) { // else what it decided is the next daemon's to say
			n.mu.Lock()
			delete(n.sources, src.Token)
			n.mu.Unlock()
		}
		vm.endMove(out, watch, src.Token, account, err, logEnd, rest)
	})
	return out, nil
}

// enterMove puts the VM into the state of moving, if it can.
func (vm *VM) enterMove(out *outgoing, src *move.Source) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	switch {
	case vm.out != nil:
		return vm.out.busy()
	case vm.guest == nil || vm.rec.State != pb.VMState_VM_STATE_RUNNING:
		return status.Errorf(codes.FailedPrecondition, "the VM does not run on %s", vm.node.cfg.Name)
	}
	if err := dependsOn(vm.rec); err != nil {
		return err
	}
	src.Guest = vm.guest
	src.VM = proto.CloneOf(vm.rec)
	src.VM.Generation++
	vm.out = out
	vm.changeLocked(func(rec *pb.VM) {
		rec.State = pb.VMState_VM_STATE_MOVING
		rec.MovingTo = out.to
		rec.Note = ""
	})
	vm.node.dirty.add(vm)
	return nil
}

// endMove writes down what came of a move. rest is of a VM that has departed already; nil: it has
// not.
func (vm *VM) endMove(out *outgoing, watch *moveWatch, token link.Token, account *pb.Move, err error, logEnd int64, rest *served) {
	n := vm.node
	switch {
	case err == nil, errors.Is(err, move.ErrLost), errors.Is(err, move.ErrGivenUp):
		if rest != nil {
			rest.end(n, account)
		} else if err != nil { // given up: it has departed as far as anybody knows
			vm.unhost()
		} else {
			vm.handOver() // first: it may be on its way back as soon as it has departed
			vm.depart(out.to, account, logEnd)
		}
		if err := n.store.DeleteHandover(token[:]); err != nil {
			n.log.Error("hand-over", "vm", vm.id, "err", err)
		}
		if err != nil {
			watch.failed(err)
		} else {
			watch.done(account)
		}
	case errors.Is(err, move.ErrShutdown):
		// The journal has the commitment: the next daemon asks on.
	default:
		watch.failed(err)
		vm.note(func(rec *pb.VM) {
			if rec.State == pb.VMState_VM_STATE_MOVING {
				rec.State = pb.VMState_VM_STATE_RUNNING
			}
			rec.MovingTo = ""
			rec.Note = fmt.Sprintf("move to %s failed: %v", out.to, err)
		})
	}
	out.err = err
	vm.mu.Lock()
	if vm.out == out { // else it has departed, and may even be back
		vm.out = nil
	}
	vm.mu.Unlock()
	close(out.done)
}

// depart writes down that a VM is elsewhere now.
func (vm *VM) depart(to string, account *pb.Move, logEnd int64) {
	vm.mu.Lock()
	last := vm.rec.Generation
	if err := vm.log.Finish(last, logEnd); err != nil {
		vm.node.log.Error("end log", "vm", vm.id, "err", err)
	}
	if vm.home {
		if err := vm.log.Begin(last+1, logEnd); err != nil {
			vm.node.log.Error("begin log", "vm", vm.id, "err", err)
		}
	}
	err := vm.updateLocked(func(rec *pb.VM) {
		rec.Stays[len(rec.Stays)-1].LogEnd = logEnd
		rec.Generation = last + 1
		rec.Stays = append(rec.Stays, &pb.Stay{Generation: last + 1, Node: to, LogStart: logEnd, LogEnd: -1})
		rec.State, rec.Node, rec.MovingTo, rec.Note = pb.VMState_VM_STATE_AWAY, to, "", ""
		rec.Isa, rec.Level = account.ToIsa, ""
		rec.Moves = append(rec.Moves, account)
		trimMoves(rec)
	})
	if err != nil {
		vm.node.log.Error("keep record", "vm", vm.id, "err", err)
	}
	vm.mu.Unlock()
	vm.followStays()
}

// settled waits until no move from here is under way.
func (vm *VM) settled() {
	vm.mu.Lock()
	out := vm.out
	vm.mu.Unlock()
	if out != nil {
		<-out.done
	}
}

// awaitSettled is settled for as long as the caller waits.
func (vm *VM) awaitSettled(ctx context.Context) error {
	vm.mu.Lock()
	out := vm.out
	vm.mu.Unlock()
	if out == nil {
		return nil
	}
	select {
	case <-out.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cancelMove calls a move off, unless it is committed.
func (vm *VM) cancelMove(reason error) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.out != nil {
		vm.out.cancel(reason)
	}
}
