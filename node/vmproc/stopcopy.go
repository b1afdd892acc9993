package vmproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/vmm"
)

// A stopSender stops the guest, then sends all.
type stopSender struct {
	g    Movable
	held held
	opt  *pb.SendOptions
}

func (e *stopSender) send(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	c, err := s.Open(ctx, FirstStream)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	// The other side sends nothing: what can be read is its end.
	sending, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			cancel(ErrClosed)
		}
	}()
	progress(&pb.MoveProgress{Phase: pb.MovePhase_MOVE_PHASE_QUIESCE})
	left, at, err := Quiesce(sending, e.g, e.opt.QuiesceTimeout.AsDuration())
	if err != nil {
		return nil, err
	}
	sent, err := e.sendMemory(sending, &stallConn{Conn: c, stall: e.opt.StallTimeout.AsDuration()}, progress)
	if err != nil {
		if err := e.g.Continue(); err != nil && !errors.Is(err, vmm.ErrExited) {
			return nil, fmt.Errorf("resume after a failed move: %w", err)
		}
		return nil, err
	}
	sent.Left, sent.LeftAt = LeftToWire(left), ToMonotonic(at)
	return sent, nil
}

func (e *stopSender) sendMemory(ctx context.Context, w io.Writer, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	report := func(st statexfer.Stats) {
		progress(&pb.MoveProgress{Phase: pb.MovePhase_MOVE_PHASE_TRANSFER, Memory: MemoryStats(st)})
	}
	report(statexfer.Stats{})
	stats, digest, err := statexfer.Send(ctx, w, e.g.Memory(), statexfer.Options{
		Compress:  codecs[e.opt.Compress],
		Anonymous: true,
		PageMap:   e.held.pageMap,
		Progress:  report,
	})
	if err != nil {
		return nil, err
	}
	return &pb.Sent{Digest: digest[:], Memory: MemoryStats(stats)}, nil
}

func (e *stopSender) drain(context.Context, Streams, func(*pb.MoveProgress)) error { return nil }

// Quiesce takes a guest off its stack and returns when it left. On an error it still runs.
func Quiesce(ctx context.Context, g Movable, timeout time.Duration) (*vmm.Left, time.Time, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	asked := time.Now()
	left, err := g.Quiesce(limited)
	if err != nil {
		if context.Cause(ctx) == nil && limited.Err() != nil {
			return nil, asked, fmt.Errorf("%w: %v", ErrQuiesce, timeout)
		}
		return nil, asked, fmt.Errorf("take the program off its stack: %w", err)
	}
	return left, asked.Add(left.Quiesce), nil
}

// A stopReceiver receives all before the guest starts.
type stopReceiver struct {
	g   Movable
	opt *pb.ReceiveOptions
}

func (e *stopReceiver) receive(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (*pb.Received, error) {
	first, cancel := context.WithTimeout(ctx, e.opt.FirstTimeout.AsDuration())
	defer cancel()
	c, err := s.Open(first, FirstStream)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r := &stallConn{Conn: c, stall: e.opt.StallTimeout.AsDuration(), first: e.opt.FirstTimeout.AsDuration()}
	stats, digest, err := statexfer.ReceiveWith(ctx, r, e.g.Memory(), statexfer.ReceiveOptions{
		Progress: func(st statexfer.Stats) {
			progress(&pb.MoveProgress{Phase: pb.MovePhase_MOVE_PHASE_TRANSFER, Memory: MemoryStats(st)})
		},
		ToEOF: true, // the sender takes a stream that this side ends for a refusal
	})
	if err != nil {
		return nil, err
	}
	return &pb.Received{Digest: digest[:], Memory: MemoryStats(stats)}, nil
}

func (e *stopReceiver) fill(context.Context, Streams, func(*pb.MoveProgress)) error { return nil }
