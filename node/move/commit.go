package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/handover"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// commit is what cannot be taken back: from the journal's entry on, only the target's word
// that it did not start lets the VM run here again.
func (s *Source) commit() (*pb.Move, error) {
	state, err := s.next(handover.TargetReady, nil)
	if err == nil {
		err = s.Journal.PutHandover(&pb.Handover{
			Token:      s.Token[:],
			State:      pb.HandoverState_HANDOVER_STATE_COMMITTED,
			Vm:         s.VM.Id,
			Peer:       s.To,
			Generation: s.VM.Generation,
			Time:       timestamppb.Now(),
		})
	}
	if err != nil { // nothing was promised
		s.goOn()
		s.abort(err)
		return nil, err
	}
	s.state = state
	s.Committed(s.clock.leftAt, s.sent)
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_START})

	answer := s.start()
	if answer == nil {
		return nil, ErrShutdown
	}
	event := handover.TargetNotStarted
	if answer.Started {
		event = handover.TargetStarted
	}
	if s.state, err = s.next(event, nil); err != nil {
		s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
	}
	if s.state == handover.Kept {
		if err := s.Journal.DeleteHandover(s.Token[:]); err != nil {
			s.Log.Error("hand-over", "vm", s.VM.Name, "err", err)
		}
		s.goOn()
		return nil, fmt.Errorf("%s could not start it: %s", s.To, answer.Reason)
	}
	s.clock.lap(&s.clock.move.Start)
	s.clock.finish(answer)
	s.Progress(&pb.MoveEvent{Phase: pb.MovePhase_MOVE_PHASE_DONE, Memory: s.clock.move.Memory, Move: s.clock.move})
	return s.clock.move, nil
}

// start asks until there is an answer, over whatever link there is then; nil when this node
// shuts down before.
func (s *Source) start() *pb.StartResponse {
	doubt := time.AfterFunc(s.Timeouts.Doubt, func() {
		s.Doubt(fmt.Errorf("%s does not say whether it runs the VM", s.To))
	})
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
		select {
		case <-time.After(min(time.Duration(attempt+1)*50*time.Millisecond, time.Second)):
		case <-s.Node.Done():
			return nil
		}
	}
}

func (s *Source) tryStart() (*pb.StartResponse, error) {
	ctx, cancel := context.WithTimeout(s.Node, s.Timeouts.Stall)
	defer cancel()
	l, err := s.Links.Wait(ctx, s.To)
	if err != nil {
		return nil, err
	}
	if l.Peer().Id != s.link.Peer().Id {
		return nil, errors.New("another node has taken that name")
	}
	return l.Client().Start(ctx, &pb.StartRequest{
		Token:     s.Token[:],
		SinceLeft: durationpb.New(time.Since(s.clock.leftAt)),
		RoundTrip: durationpb.New(s.clock.roundTrip),
	})
}
