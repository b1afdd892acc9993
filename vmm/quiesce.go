package vmm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// Start begins a fresh program, or resumes one whose portable memory was filled. Also a
// guest that is quiesced can be resumed so, with memory that came back from elsewhere.
func (g *Guest) Start(from *Left) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state == ended:
		return ErrExited
	case g.state == running:
		return errors.New("guest runs already")
	case g.state == parked && from == nil:
		return errors.New("guest is quiesced: it can be resumed, not started")
	case g.state == created && g.cfg.Resume != (from != nil):
		return fmt.Errorf("guest was made to resume: %v, but is to resume: %v", g.cfg.Resume, from != nil)
	}
	now := time.Now()
	if from == nil {
		g.clock = clock{at: now}
	} else {
		if err := g.in.restore(from.Input, from.InputEOF); err != nil {
			return err
		}
		g.clock = resumeClock(from, now)
		if len(from.Input) > 0 || from.InputEOF {
			atomic.OrUint32(&g.ctl.Pending, hostabi.PendInput)
		}
	}
	if g.state == parked {
		return g.unpark()
	}
	if err := g.refresh(); err != nil {
		return err
	}
	g.count()
	g.state, g.started = running, true
	go g.out.run()
	go g.loop()
	return nil
}

// Continue calls a move off: the guest resumes here from the same records.
func (g *Guest) Continue() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.state {
	case ended:
		return ErrExited
	case parked:
		return g.unpark()
	}
	return fmt.Errorf("guest is %v, not quiesced", g.state)
}

// unpark lets the loop return from the doorbell LEFT. g.mu is held, the guest is parked.
func (g *Guest) unpark() error {
	if err := g.refresh(); err != nil {
		return err
	}
	if err := g.endLog(); err != nil {
		return err
	}
	g.state, g.left = running, nil
	atomic.AndUint32(&g.ctl.Pending, ^uint32(hostabi.PendMigrate))
	g.count()
	g.in.hold(false)
	g.goOn <- struct{}{}
	return nil
}

// Quiesce makes every thread leave its machine stack. On error the guest still runs.
func (g *Guest) Quiesce(ctx context.Context) (*Left, error) {
	waiter := make(chan *Left, 1)
	g.mu.Lock()
	if err := g.expect(waiter); err != nil {
		g.mu.Unlock()
		return nil, err
	}
	g.in.hold(true)
	g.mu.Unlock()
	g.post(hostabi.PendMigrate)
	return g.await(ctx, waiter)
}

// expect makes waiter the one to be told. g.mu is held.
func (g *Guest) expect(waiter chan *Left) error {
	switch {
	case g.state == ended:
		return ErrExited
	case g.state != running:
		return fmt.Errorf("guest is %v, not running", g.state)
	case g.waiter != nil:
		return errors.New("guest is being quiesced already")
	}
	g.waiter, g.asked = waiter, time.Now()
	return nil
}

func (g *Guest) await(ctx context.Context, waiter chan *Left) (*Left, error) {
	select {
	case left := <-waiter:
		return left, nil
	case <-g.done:
		return nil, ErrExited
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case left := <-waiter: // it left at the same moment
		return left, nil
	default:
	}
	g.waiter = nil
	if g.state != ended {
		atomic.AndUint32(&g.ctl.Pending, ^uint32(hostabi.PendMigrate))
		g.in.hold(false)
	}
	return nil, fmt.Errorf("quiesce: %w", context.Cause(ctx))
}

// LeaveAt makes the guest leave by itself at its n-th migration point after each Start or
// Continue from now on; 0 only counts them. It is for tests, whose moves must be repeatable.
func (g *Guest) LeaveAt(n uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveAt, g.counting = n, true
}

// count sets up what LeaveAt asked for. g.mu is held, the guest does not run.
func (g *Guest) count() {
	if !g.counting {
		return
	}
	g.ctl.Countdown = g.leaveAt
	atomic.StoreUint64(&g.ctl.Points, 0)
	atomic.OrUint32(&g.ctl.Pending, hostabi.PendCount)
}

// Points returns the migration points that the guest has passed since the last Start or
// Continue, if LeaveAt was called before.
func (g *Guest) Points() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0
	}
	return atomic.LoadUint64(&g.ctl.Points)
}

// AwaitLeft waits until the guest has left as LeaveAt asked for.
func (g *Guest) AwaitLeft(ctx context.Context) (*Left, error) {
	waiter := make(chan *Left, 1)
	g.mu.Lock()
	if g.state == parked {
		defer g.mu.Unlock()
		return g.left, nil
	}
	err := g.expect(waiter)
	g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return g.await(ctx, waiter)
}
