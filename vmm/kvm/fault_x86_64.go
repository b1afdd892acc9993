package kvm

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Vectors of exceptions: Intel SDM 3A, 7.15 "Exception and Interrupt Reference".
const (
	x86Breakpoint = 3
	x86PageFault  = 14
)

// x86PushesError says which exceptions have an error code (7.13 "Error Code").
const x86PushesError uint32 = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21

var x86Causes = map[int]cause{
	0:             {reason: "integer division by zero or overflow", signal: unix.SIGFPE},
	1:             {reason: "debug exception", signal: unix.SIGTRAP},
	x86Breakpoint: {reason: "breakpoint instruction", signal: unix.SIGTRAP},
	6:             {reason: "undefined instruction", signal: unix.SIGILL},
	7:             {reason: "no floating-point unit", signal: unix.SIGFPE},
	8:             {reason: "double fault", signal: unix.SIGSEGV},
	12:            {reason: "stack address that is not canonical", signal: unix.SIGBUS},
	13:            {reason: "privileged instruction, or an address that is not canonical", signal: unix.SIGSEGV},
	16:            {reason: "x87 exception", signal: unix.SIGFPE},
	17:            {reason: "misaligned access", signal: unix.SIGBUS},
	19:            {reason: "SIMD floating-point exception", signal: unix.SIGFPE},
}

// Error code of a page fault: Intel SDM 3A, 5.7 "Page-Fault Exceptions".
const (
	x86ErrPresent = 1 << 0
	x86ErrWrite   = 1 << 1
	x86ErrFetch   = 1 << 4
)

// causeX86 says what an exception means.
func causeX86(vector int, code uint64) cause {
	if vector == x86PageFault {
		return access{
			write:  code&x86ErrWrite != 0,
			fetch:  code&x86ErrFetch != 0,
			mapped: code&x86ErrPresent != 0,
		}.cause()
	}
	if c, ok := x86Causes[vector]; ok {
		return c
	}
	return cause{reason: fmt.Sprintf("exception %d", vector), signal: unix.SIGSEGV}
}
