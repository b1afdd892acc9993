package move

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A timeline measures a move on the source's monotonic clock.
type timeline struct {
	begin     time.Time
	mark      time.Time // end of the last lap
	leftAt    time.Time // the last thread left: no guest code runs from here on
	roundTrip time.Duration
	copying   bool // memory goes while the program runs
	move      *pb.Move
}

// lap ends a phase that began when the one before ended.
func (t *timeline) lap(phase **durationpb.Duration) {
	if t.mark.IsZero() {
		t.mark = t.begin
	}
	now := time.Now()
	*phase = durationpb.New(now.Sub(t.mark))
	t.mark = now
}

// phase sees the part of a transfer in which the program runs, and its end.
func (t *timeline) phase(p pb.MovePhase) {
	switch {
	case p == pb.MovePhase_MOVE_PHASE_COPY:
		t.copying = true
	case t.copying && p == pb.MovePhase_MOVE_PHASE_QUIESCE:
		t.move.Copy = durationpb.New(time.Since(t.mark))
		t.copying = false
	}
}

// left takes over when the guest left and when its memory had been sent.
func (t *timeline) left(sent *pb.Sent) {
	t.leftAt = vmproc.FromMonotonic(sent.LeftAt)
	t.lap(&t.move.Transfer)
	t.move.Quiesce = sent.Left.Quiesce
	t.move.Transfer = durationpb.New(t.move.Transfer.AsDuration() - t.move.Quiesce.AsDuration())
	t.move.Frames, t.move.RecordBytes = sent.Left.Frames, sent.Left.Bytes
	t.move.Memory = sent.Memory
	t.move.Kind, t.move.Why = sent.Kind, sent.Why
}

// finish works out total and downtime. No guest code ran between leftAt, on this clock, and
// the guest's RESUMED, which the target saw since_resumed before it answered; the answer
// was on its way for about half a round trip. So no two clocks are compared. Where the
// answer was lost and repeated, all until the answer counts.
func (t *timeline) finish(answer *pb.StartResponse) {
	now := time.Now()
	down := now.Sub(t.leftAt)
	if !answer.Repeated {
		down = max(0, down-answer.SinceResumed.AsDuration()-t.roundTrip/2)
	}
	t.move.Downtime = durationpb.New(down)
	t.move.Total = durationpb.New(now.Sub(t.begin))
}

// drained is for a move whose target has got the last of the memory.
func (t *timeline) drained() { t.move.Total = durationpb.New(time.Since(t.begin)) }
