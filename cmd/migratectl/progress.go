package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A progress shows how a move goes.
type progress interface {
	event(*pb.MoveEvent)
	end(error)
}

var phases = map[pb.MovePhase]string{
	pb.MovePhase_MOVE_PHASE_UNSPECIFIED: "asking",
	pb.MovePhase_MOVE_PHASE_PREPARE:     "reserving",
	pb.MovePhase_MOVE_PHASE_COPY:        "sending memory while it runs",
	pb.MovePhase_MOVE_PHASE_QUIESCE:     "leaving the stack",
	pb.MovePhase_MOVE_PHASE_TRANSFER:    "sending memory",
	pb.MovePhase_MOVE_PHASE_VERIFY:      "checking",
	pb.MovePhase_MOVE_PHASE_START:       "starting there",
	pb.MovePhase_MOVE_PHASE_DONE:        "done",
}

// newProgress draws a bar on a terminal, and writes a line for each phase elsewhere.
func newProgress(w *os.File, vm string) progress {
	if isTerminal(w) {
		return newBar(w, vm)
	}
	return &lines{w: w, vm: vm}
}

// lines is progress for logs and pipes.
type lines struct {
	w    io.Writer
	vm   string
	last pb.MovePhase
}

func (l *lines) event(e *pb.MoveEvent) {
	if e.Phase == l.last {
		return
	}
	l.last = e.Phase
	fmt.Fprintf(l.w, "%s: %s", l.vm, phases[e.Phase])
	if m := e.Memory; m != nil && e.Phase == pb.MovePhase_MOVE_PHASE_DONE {
		fmt.Fprintf(l.w, ", %d pages, %s as %s", m.Pages, units.Bytes(m.RawBytes).Short(), units.Bytes(m.WireBytes).Short())
	}
	fmt.Fprintln(l.w)
}

func (l *lines) end(error) {}

// A bar is progress for people: pages that are sent or need not be, of all. It is drawn by a
// goroutine of its own.
type bar struct {
	bars  *mpb.Progress
	bar   *mpb.Bar
	phase atomic.Int32  // a pb.MovePhase
	sent  atomic.Uint64 // bytes
	rate  atomic.Pointer[pb.MoveRate]
}

func newBar(w io.Writer, vm string) *bar {
	b := &bar{bars: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))}
	b.bar = b.bars.AddBar(0,
		mpb.PrependDecorators(decor.Name(vm+" "), decor.Any(func(decor.Statistics) string {
			return fmt.Sprintf("%-28s", phases[pb.MovePhase(b.phase.Load())])
		})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Any(func(decor.Statistics) string {
			return " " + units.Bytes(b.sent.Load()).Short() + rateText(b.rate.Load())
		})))
	return b
}

func (b *bar) event(e *pb.MoveEvent) {
	b.phase.Store(int32(e.Phase))
	b.rate.Store(e.Rate)
	if m := e.Memory; m != nil {
		b.sent.Store(m.WireBytes)
		b.bar.SetTotal(int64(m.Pages), false)
		b.bar.SetCurrent(int64(min(m.Sent+m.Zero, m.Pages)))
	}
}

// rateText is how a transfer does while the program runs.
func rateText(r *pb.MoveRate) string {
	if r == nil || r.Rate == 0 {
		return ""
	}
	s := fmt.Sprintf(", %s/s, %d pages left, %.0f written a second, downtime now %s",
		units.Bytes(r.Rate).Short(), r.Remaining, r.DirtyRate, short(r.ExpectedDowntime.AsDuration()))
	if r.Throttle > 0 {
		s += fmt.Sprintf(", held back %.0f %%", 100*r.Throttle)
	}
	return s
}

func (b *bar) end(err error) {
	if err != nil {
		b.bar.Abort(false)
	} else {
		b.bar.SetTotal(-1, true)
	}
	b.bars.Wait()
}
