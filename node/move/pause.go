package move

import (
	"context"
	"time"
)

// Pause waits; false when the context ended.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// pauseBefore waits before the next attempt at what has failed so many times, longer each time up
// to a second; false when the context ended.
func pauseBefore(ctx context.Context, failed int) bool {
	return Pause(ctx, min(time.Duration(failed)*50*time.Millisecond, time.Second))
}
