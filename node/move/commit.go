package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/handover"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An entry of the journal is written while other things go on.
type entry struct {
	done chan struct{}
	err  error // then
}

// write begins to write the commitment. Written ahead it promises nothing yet: the VM's process
// knows whether the target may start. failed hears of a journal that cannot be written.
func (s *Source) write(ahead bool, failed func(error)) {
	e := &entry{done: make(chan struct{})}
	s.entry = e
	go func() {
		defer close(e.done)
		e.err = s.Journal.PutHandover(&pb.Handover{
			Token:      s.Token[:],
			State:      pb.HandoverState_HANDOVER_STATE_COMMITTED,
			Vm:         s.VM.Id,
			Peer:       s.To,
			Generation: s.VM.Generation,
			Time:       timestamppb.Now(),
			Ahead:      ahead,
		})
		if e.err != nil {
			failed(e.err)
		} else if ahead {
			s.Guest.Allow(s.Token[:])
		}
	}()
}

// written waits for the entry, which is written now where it was not ahead.
func (s *Source) written() error {
	if s.entry == nil {
		s.write(false, func(error) {})
	}
	<-s.entry.done
	if s.entry.err != nil {
		return s.entry.err
	}
	var err error
	s.state, err = s.next(handover.Journalled, nil)
	return err
}

// unwrite deletes the entry. Until it is gone, or the target has dropped the VM, the guest must
// not go on: should its process die later, the entry would have the target start it as it was.
// False: this node shuts down, and the next daemon sees to it.
func (s *Source) unwrite(reason error) bool {
	if s.entry == nil {
		return true
	}
	<-s.entry.done
	for attempt := 1; ; attempt++ {
		err := s.Journal.DeleteHandover(s.Token[:])
		if err == nil {
			return true
		}
		s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
		if _, err := s.tryAbort(reason, abortTimeout); !undelivered(err) {
			return true
		}
		if !pauseBefore(s.Node, attempt) {
			return false
		}
	}
}

// commit is what cannot be taken back: from here on, only the target's word that it did not start
// lets the VM run here again. The journal's entry is on disk before anybody is told.
func (s *Source) commit() (*pb.Move, error) {
	var err error
	if s.state, err = s.next(handover.TargetReady, nil); err != nil {
		s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
	}
	s.Guest.Commit()
	s.Committed(s.clock.leftAt, s.sent)
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_START})

	// What the guest touches first may be here still, so it is served before the target says
	// that it runs.
	rest := s.serving()
	defer rest.stop()
	answer := s.start()
	if answer == nil {
		return nil, stopped(s.Node)
	}
	event := handover.TargetNotStarted
	switch {
	case answer.Started && answer.Lacks:
		event = handover.TargetLacks
	case answer.Started:
		event = handover.TargetStarted
	}
	if s.state, err = s.next(event, nil); err != nil {
		s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
	}
	if s.state == handover.Kept {
		rest.stop()
		s.goOn()
		s.unwrite(errors.New(answer.Reason))
		return nil, fmt.Errorf("%s could not start it: %s", s.To, answer.Reason)
	}
	s.clock.lap(&s.clock.move.Start)
	s.clock.finish(answer)
	if s.state == handover.Serving {
		s.Serving(proto.CloneOf(s.clock.move))
		rest.Started.Store(true)
		<-rest.done
		if errors.Is(rest.err, ErrLost) || errors.Is(rest.err, ErrGivenUp) {
			return s.clock.move, rest.err
		}
		if rest.err != nil {
			return nil, rest.err
		}
		s.clock.drained()
		if s.state, err = s.next(handover.TargetStarted, nil); err != nil {
			s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
		}
	}
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_DONE, Memory: s.clock.move.Memory, Move: s.clock.move})
	return s.clock.move, nil
}

// start asks until there is an answer, over whatever link there is then; nil when this node
// shuts down before, or the VM is given up.
func (s *Source) start() *pb.StartResponse {
	doubt := time.AfterFunc(s.Timeouts.Doubt, s.Doubt)
	defer doubt.Stop()
	for attempt := 0; ; attempt++ {
		answer, err := s.tryStart()
		if err == nil {
			answer.Repeated = answer.Repeated || attempt > 0
			return answer
		}
		s.Log.Warn("hand-over: no answer yet", "vm", s.VM.Name, "to", s.To, "err", err)
		if s.state, err = s.next(handover.Failed, nil); err != nil {
			s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
		}
		if !pauseBefore(s.Node, attempt+1) {
			return nil
		}
	}
}

// A draining serves the target in the background. Where that has all, it has ended.
type draining struct {
	Rest
	cancel context.CancelFunc
	done   chan struct{}
	err    error // then: as Drain returns it
}

// serveRest begins with the transfer, so that the streams are open when the target starts. Nothing
// is served before the commitment.
func (s *Source) serveRest() *draining {
	d := &draining{done: make(chan struct{})}
	d.Token, d.To, d.Peer, d.Links, d.Stall, d.Log = s.Token, s.To, s.link.Peer().Id, s.Links, s.Timeouts.Stall, s.Log
	var ctx context.Context
	ctx, d.cancel = context.WithCancel(s.Node)
	go func() {
		defer close(d.done)
		d.err = Drain(ctx, s.Guest, &d.Rest)
	}()
	return d
}

// serving is what serves the target from the commitment on.
func (s *Source) serving() *draining {
	if s.sent.Missing == 0 {
		s.stopServing()
		d := &draining{cancel: func() {}, done: make(chan struct{})}
		close(d.done)
		return d
	}
	if s.rest != nil {
		select {
		case <-s.rest.done: // a process that began to serve only when all else was sent
		default:
			return s.rest
		}
	}
	s.rest = s.serveRest()
	return s.rest
}

// stopServing ends what began too early.
func (s *Source) stopServing() {
	if s.rest != nil {
		s.rest.stop()
	}
}

func (d *draining) stop() {
	d.cancel()
	<-d.done
}

func (s *Source) tryStart() (*pb.StartResponse, error) {
	ctx, cancel := context.WithTimeout(s.Node, s.Timeouts.Stall)
	defer cancel()
	l, err := linkTo(ctx, s.Links, s.To, s.link.Peer().Id)
	if err != nil {
		return nil, err
	}
	return l.Client().Start(ctx, &pb.StartRequest{
		Token:     s.Token[:],
		SinceLeft: durationpb.New(time.Since(s.clock.leftAt)),
		RoundTrip: durationpb.New(s.clock.roundTrip),
	})
}
