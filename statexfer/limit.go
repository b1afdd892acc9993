package statexfer

import (
	"context"
	"io"
	"sync"
	"time"
)

// A limiter is a writer of so many bytes a second at most.
type limiter struct {
	w    io.Writer
	pace *Pace
}

// write passes on p when its time has come.
func (l *limiter) write(ctx context.Context, p []byte) (int, error) {
	if err := l.pace.Wait(ctx); err != nil {
		return 0, err
	}
	n, err := l.w.Write(p)
	l.pace.Spent(uint64(n))
	return n, err
}

// A Pace says when the next bytes may be sent, so that they are so many a second at most. A nil one
// never waits.
type Pace struct {
	rate float64 // bytes a second

	mu   sync.Mutex
	next time.Time
}

// NewPace makes a pace of bytes a second; 0: nil.
func NewPace(rate uint64) *Pace {
	if rate == 0 {
		return nil
	}
	return &Pace{rate: float64(rate)}
}

// burst is how far a pace may fall behind and then catch up.
const burst = 20 * time.Millisecond

// Wait returns when something may be sent.
func (p *Pace) Wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-burst); p.next.Before(earliest) {
		p.next = earliest
	}
	wait := p.next.Sub(now)
	p.mu.Unlock()
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Spent says that n bytes were sent.
func (p *Pace) Spent(n uint64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
}
