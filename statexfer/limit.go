package statexfer

import (
	"context"
	"io"
	"time"
)

// A limiter is a writer of so many bytes a second at most.
type limiter struct {
	w    io.Writer
	rate float64 // bytes a second
	next time.Time
}

// burst is how far a limiter may fall behind and then catch up.
const burst = 20 * time.Millisecond

// write passes on p when its time has come.
func (l *limiter) write(ctx context.Context, p []byte) (int, error) {
	now := time.Now()
	if earliest := now.Add(-burst); l.next.Before(earliest) {
		l.next = earliest
	}
	if wait := l.next.Sub(now); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	n, err := l.w.Write(p)
	l.next = l.next.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	return n, err
}
