package tender

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of futex(2); without FUTEX_PRIVATE_FLAG, for two processes share the word.
const (
	futexWait = 0
	futexWake = 1
)

// futexSleep returns when word no longer has the value v, or spuriously.
func futexSleep(word *uint32, v uint32) error {
	_, _, e := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(v), 0, 0, 0)
	if e == 0 || e == syscall.EAGAIN || e == syscall.EINTR {
		return nil
	}
	return e
}

// futexWakeAll wakes whoever sleeps on word.
func futexWakeAll(word *uint32) {
	// It fails for a bad address alone.
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, math.MaxInt32, 0, 0, 0)
}
