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
