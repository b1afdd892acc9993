// Package move takes a VM from one node to another: the source's and the target's part of
// docs/wire.md, by the rule of package handover.
package move

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/handover"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// Timeouts of a move. A zero one gets its default.
type Timeouts struct {
	Prepare time.Duration // for the target to reserve, and to fetch what it lacks of the image
	Quiesce time.Duration // for the guest to leave its stack
	Stall   time.Duration // for a transfer, or an answer, that makes no progress
	Doubt   time.Duration // that a target is out of sight after the commitment, before an operator is told so
}

// WithDefaults fills in what is zero.
func (t Timeouts) WithDefaults() Timeouts {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Prepare, time.Minute},
		{&t.Quiesce, 10 * time.Second},
		{&t.Stall, 15 * time.Second},
		{&t.Doubt, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

// A Journal makes the source's commitment durable.
type Journal interface {
	PutHandover(*pb.Handover) error
	DeleteHandover(token []byte) error
}

// Links finds the way to a node.
type Links interface {
	Link(name string) (*link.Link, error)
	Wait(ctx context.Context, name string) (*link.Link, error)
}

// linkTo waits for a link to the node that has a name and, where that is known, an identity.
func linkTo(ctx context.Context, links Links, name, id string) (*link.Link, error) {
	l, err := links.Wait(ctx, name)
	if err != nil {
		return nil, err
	}
	if id != "" && l.Peer().Id != id {
		return nil, errors.New("another node has taken that name")
	}
	return l, nil
}

// A Source moves one VM away.
type Source struct {
	Token    link.Token
	VM       *pb.VM // as the target is to know it, its generation that of the next stay
	Config   []byte // of its image
	Guest    vmproc.VM
	From, To string
	Options  *pb.MoveOptions
	Links    Links
	Journal  Journal
	Timeouts Timeouts
	Log      *slog.Logger
	Node     context.Context // ends when this node shuts down, or with ErrGivenUp as its cause

	// Rate is what went to the target in an earlier move, bytes of memory a second; 0: not known.
	// Rated is called with what this move measured.
	Rate  float64
	Rated func(rate float64)

	Progress func(*pb.MoveEvent)
	// Doubt is called when the target does not answer after the commitment. The move goes on.
	Doubt func()
	// Committed is called when the commitment is made, and before START is sent.
	Committed func(leftAt time.Time, sent *pb.Sent)
	// Serving is called when the VM runs at the target and needs pages from here, with the account
	// as it is then.
	Serving func(account *pb.Move)

	state handover.Source
	link  *link.Link
	keys  *pb.MoveKeys // of the data connections
	clock timeline
	sent  *pb.Sent
	ready *readiness // nil: the target was not asked yet
	entry *entry     // in the journal; nil: none was begun
	ours  bool       // the move failed for a reason that is the guest's

	postCopy bool // the target can start the VM before it has all
	rest     *draining
}

// ErrShutdown is returned for a move that was in doubt when this node shut down.
var ErrShutdown = errors.New("the node shuts down")

// ErrGivenUp is returned for a move that was in doubt when its VM was given up. What is here of the
// VM is to be ended: it may be at the target.
var ErrGivenUp = errors.New("the VM was given up")

// stopped says why a context of this node has ended.
func stopped(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrGivenUp) {
		return ErrGivenUp
	}
	return ErrShutdown
}

// Run moves the VM. On success it has left, and the guest here is to be closed; so it has with
// ErrLost and ErrGivenUp. On another error but ErrShutdown the VM goes on here; Run returns only when
// that is certain.
func (s *Source) Run(ctx context.Context) (*pb.Move, error) {
	s.clock = timeline{begin: time.Now(), move: &pb.Move{
		From: s.From, To: s.To, Started: timestamppb.Now(),
	}}
	if err := s.untilReady(ctx); err != nil {
		s.state, err = s.next(handover.Failed, err)
		return nil, err
	}
	return s.commit()
}

// next asks the rule for the state that follows.
func (s *Source) next(e handover.SourceEvent, cause error) (handover.Source, error) {
	state, err := s.state.Next(e)
	return state, errors.Join(cause, err)
}

// untilReady is all that can be taken back; when it fails it has been.
func (s *Source) untilReady(ctx context.Context) error {
	l, err := s.Links.Link(s.To)
	if err != nil {
		return err
	}
	s.link = l
	// A move cannot outlive its link: the target drops what it has when the link is lost.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-l.Done():
			cancel(fmt.Errorf("the link to %s was lost", s.To))
		case <-s.Guest.Done():
			cancel(vmm.ErrExited)
		case <-ctx.Done():
		}
	}()
	if limit := s.Options.GetDeadline().AsDuration(); limit > 0 {
		timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("it was not done within %v", limit)) })
		defer timer.Stop()
	}
	if err := s.prepare(ctx); err != nil {
		s.abort(err)
		return err
	}
	defer func() {
		if s.ready != nil {
			s.ready.cancel()
		}
	}()
	if s.Guest.Status().GetRemembers() {
		s.write(true, cancel)
	}
	if s.sent, err = s.send(ctx); err != nil {
		s.stopServing()
		s.unwrite(err) // the target, which lacks memory, starts it in no case
		// The target gives up too when it sees no more of the memory: that explains nothing
		// where the reason is here. And connections for memory may end a moment before their link.
		reason := s.abort(err)
		switch {
		case s.ours:
		case reason != "":
			err = fmt.Errorf("%s gave up: %s", s.To, reason)
		case s.linkLost():
			err = fmt.Errorf("send memory: the link to %s was lost", s.To)
		}
		return err
	}
	if err = s.verify(ctx); err == nil || s.sent.Committed {
		if err != nil { // the answer to START says what becomes of it
			s.Log.Warn("hand-over", "vm", s.VM.Name, "err", err)
		}
		err = s.written()
	}
	if err != nil {
		s.stopServing() // before the guest writes again
		if !s.unwrite(err) {
			return ErrShutdown
		}
		s.goOn()
		if reason := s.abort(err); reason != "" {
			err = fmt.Errorf("%s gave up: %s", s.To, reason)
		}
		return err
	}
	return nil
}

// prepare has the target reserve.
func (s *Source) prepare(ctx context.Context) error {
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_PREPARE})
	defer s.clock.lap(&s.clock.move.Prepare)
	ctx, cancel := context.WithTimeout(ctx, s.Timeouts.Prepare)
	defer cancel()
	keys, err := channel.NewKeys()
	if err != nil {
		return err
	}
	mine := keys.Digest()
	answer, err := s.link.Client().Prepare(ctx, &pb.PrepareRequest{
		Token: s.Token[:], Vm: s.VM, Config: s.Config, Certificate: mine[:],
	})
	if err != nil {
		return s.explain(ctx, "prepare", err)
	}
	theirs, err := channel.ParseDigest(answer.Certificate)
	if err != nil {
		return fmt.Errorf("prepare: %s: %w", s.To, err)
	}
	s.keys = keys.With(theirs)
	s.clock.move.ToIsa = answer.Isa
	s.clock.move.FromIsa = s.VM.Isa
	s.clock.move.ImageBytes = answer.ImageBytes
	s.postCopy = answer.PostCopy
	if k := s.Options.GetKind(); vmproc.NeedsBoth(k) && !answer.PostCopy {
		return fmt.Errorf("%s cannot start a VM before all of its memory is there: its host has no userfaultfd; use another --mode", s.To)
	}
	rtt, err := s.link.RoundTrip(ctx)
	if err != nil {
		return s.explain(ctx, "prepare", err)
	}
	s.clock.roundTrip = rtt
	s.clock.move.RoundTrip = durationpb.New(rtt)
	return nil
}

// send has the guest leave its stack and its memory sent. On an error it still runs.
func (s *Source) send(ctx context.Context) (*pb.Sent, error) {
	opt := &pb.SendOptions{
		Options:        s.Options,
		RoundTrip:      durationpb.New(s.clock.roundTrip),
		QuiesceTimeout: durationpb.New(s.Timeouts.Quiesce),
		StallTimeout:   durationpb.New(s.Timeouts.Stall),
		PostCopy:       s.postCopy,
		Link:           s.Rate,
		Keys:           s.keys,
	}
	if s.Guest.Status().GetTells() {
		opt.Token = s.Token[:]
	}
	sent, err := s.Guest.Send(ctx, &outgoing{s.link, s.Token}, opt, func(p *pb.MoveProgress) {
		s.clock.phase(p.Phase)
		if p.Arm {
			s.askReady(new(pb.AtRest))
		}
		if s.rest == nil && vmproc.NeedsBoth(p.Rate.GetKind()) {
			s.rest = s.serveRest()
		}
		s.Progress(&pb.MoveEvent{Phase: p.Phase, Memory: p.Memory, Rate: p.Rate})
	})
	if err != nil {
		s.ours = errors.Is(err, vmproc.ErrQuiesce) || errors.Is(err, vmm.ErrExited) || context.Cause(ctx) != nil
		return nil, s.explain(ctx, "send memory", err)
	}
	if sent.Link > 0 && s.Options.GetBandwidth() == 0 {
		s.Rated(sent.Link)
	}
	s.clock.left(sent)
	return sent, nil
}

// A readiness is the target's answer whether it can start the guest.
type readiness struct {
	cancel context.CancelFunc
	done   chan struct{}
	answer *pb.ReadyResponse
	err    error
}

// askReady has the target get ready to start the guest, and asks whether all is there: the answer comes
// when it is. It is told how the guest left, unless the VM's process tells it.
func (s *Source) askReady(left *pb.AtRest) {
	r := &readiness{done: make(chan struct{})}
	s.ready = r
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(s.Node) // a move that is called off now may be committed
	go func() {
		defer close(r.done)
		r.answer, r.err = s.link.Client().Ready(ctx, &pb.ReadyRequest{
			Token: s.Token[:], Left: left.Left, LogEnd: left.LogEnd, InputAccepted: left.InputAccepted,
		})
	}()
}

// verify waits until the target has checked what it got.
func (s *Source) verify(ctx context.Context) error {
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_VERIFY})
	defer s.clock.lap(&s.clock.move.Verify)
	if s.sent.Committed {
		ctx = s.Node
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeouts.Stall)
	defer cancel()
	if s.ready == nil { // its process has not asked for it
		s.askReady(&pb.AtRest{Left: s.sent.Left, LogEnd: s.sent.LogEnd, InputAccepted: s.sent.InputAccepted})
	}
	select {
	case <-s.ready.done:
	case <-ctx.Done():
		return s.explain(ctx, "check", ctx.Err())
	}
	there := s.ready.answer
	switch {
	case s.ready.err != nil:
		return s.explain(ctx, "check", s.ready.err)
	case !bytes.Equal(there.Digest, s.sent.Digest):
		return fmt.Errorf("memory arrived changed: its digest is %x, at %s %x", s.sent.Digest, s.To, there.Digest)
	case there.Missing != s.sent.Missing:
		return fmt.Errorf("%d pages are to follow, at %s %d", s.sent.Missing, s.To, there.Missing)
	}
	return nil
}

// explain prefers the reason for which a context ended over what that made of a call.
func (s *Source) explain(ctx context.Context, doing string, err error) error {
	if s.linkLost() {
		return fmt.Errorf("%s: the link to %s was lost", doing, s.To)
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("%s: %s does not answer", doing, s.To)
		}
		return fmt.Errorf("%s: %w", doing, cause)
	}
	switch {
	case errors.Is(err, vmproc.ErrQuiesce):
		return fmt.Errorf("the program did not reach a migration point within %v", s.Timeouts.Quiesce)
	case errors.Is(err, vmproc.ErrStalled):
		return fmt.Errorf("%s: %s takes nothing any more", doing, s.To)
	case errors.Is(err, vmproc.ErrClosed):
		return fmt.Errorf("%s: %s takes no more of it", doing, s.To)
	}
	if st, ok := status.FromError(err); ok && st.Code() == codes.Unavailable {
		return fmt.Errorf("%s: the link to %s was lost", doing, s.To)
	} else if ok {
		return fmt.Errorf("%s refuses: %w", s.To, &refusal{st})
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (s *Source) linkLost() bool {
	select {
	case <-s.link.Done():
		return true
	default:
		return false
	}
}

// goOn lets a quiesced guest resume here.
func (s *Source) goOn() {
	if err := s.Guest.Continue(); err != nil && !errors.Is(err, vmm.ErrExited) {
		s.Log.Error("resume after a failed move", "vm", s.VM.Name, "err", err)
	}
}

// abort tells the target, and returns why that had given up before, if it had. A target that
// loses the link gives up or asks by itself.
func (s *Source) abort(reason error) string {
	answer, err := s.tryAbort(reason, abortTimeout)
	if undelivered(err) {
		go func() {
			for undelivered(err) && s.Node.Err() == nil {
				select {
				case <-s.link.Done():
					return
				case <-time.After(abortTimeout / 10):
				}
				_, err = s.tryAbort(reason, s.Timeouts.Stall)
			}
		}()
	}
	return answer
}

func (s *Source) tryAbort(reason error, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(s.Node, timeout)
	defer cancel()
	answer, err := s.link.Client().Abort(ctx, &pb.AbortRequest{Token: s.Token[:], Reason: reason.Error()})
	return answer.GetReason(), err
}

// undelivered says whether a call may not have reached the other side.
func undelivered(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	return false
}

// abortTimeout is how long an operator waits for a target's own account of a failure.
const abortTimeout = 2 * time.Second

// A refusal is a peer's status, without the words that gRPC puts in front.
type refusal struct{ st *status.Status }

func (r *refusal) Error() string              { return r.st.Message() }
func (r *refusal) GRPCStatus() *status.Status { return r.st }
