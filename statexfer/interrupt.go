package statexfer

import (
	"context"
	"time"
)

// interrupt makes blocked I/O return when ctx ends, by a deadline in the past. set is a
// connection's SetReadDeadline or SetWriteDeadline, or nil where it has none. The function
// returned ends that, and takes the deadline back if it was set; then a blocked call will
// not be interrupted any more.
func interrupt(ctx context.Context, set func(time.Time) error) (stop func()) {
	if set == nil {
		return func() {}
	}
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		set(time.Unix(1, 0)) // an error means that the connection is gone, and the call with it
	})
	return func() {
		if !cancel() {
			<-done
			set(time.Time{})
		}
	}
}

func readDeadline(v any) func(time.Time) error {
	if c, ok := v.(interface{ SetReadDeadline(time.Time) error }); ok {
		return c.SetReadDeadline
	}
	return nil
}

func writeDeadline(v any) func(time.Time) error {
	if c, ok := v.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return c.SetWriteDeadline
	}
	return nil
}
