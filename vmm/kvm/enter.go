package kvm

import (
	"syscall"

	_ "unsafe" // for linkname
)

// Go's runtime lets both be used from outside, as gVisor does (golang.org/issue/67401).

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// enterGuest is KVM_RUN, by a thread that is not expected back soon. In syscall.Syscall it would keep its place in
// Go's scheduler, and for 10 ms of each stay in the guest the scheduler's monitor would look every 20 µs whether
// to take it: of a guest whose threads take turns each 5 ms, that was a twentieth of its CPU time.
//
//go:nosplit
//go:norace
func enterGuest(fd int) syscall.Errno {
	entersyscallblock()
	_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), kvmRun, 0)
	exitsyscall()
	return errno
}
