package vmproc

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the host's monotonic clock, which all processes share, ns.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // it never fails
	}
	return ts.Nano()
}

// ToMonotonic and FromMonotonic convert moments of this process for others on this host.
func ToMonotonic(t time.Time) int64 { return monotonic() - int64(time.Since(t)) }

// FromMonotonic is the inverse of ToMonotonic.
func FromMonotonic(ns int64) time.Time {
	return time.Now().Add(time.Duration(ns - monotonic()))
}
