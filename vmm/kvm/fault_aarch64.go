package kvm

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Exception classes: Arm ARM (DDI 0487), D24.2 "ESR_EL1", field EC, bits 31:26.
const (
	armFetchAbort = 0x20 // from a lower exception level
	armDataAbort  = 0x24
	armMisaligned = 0x22 // the program counter
)

var armCauses = map[uint64]cause{
	0x00:          {reason: "undefined instruction", signal: unix.SIGILL},
	0x01:          {reason: "privileged instruction (wfi or wfe)", signal: unix.SIGILL},
	0x07:          {reason: "floating point or SIMD instruction that is not enabled", signal: unix.SIGILL},
	0x0e:          {reason: "illegal execution state", signal: unix.SIGILL},
	0x15:          {reason: "system call instruction", signal: unix.SIGILL},
	0x18:          {reason: "privileged system register", signal: unix.SIGILL},
	0x19:          {reason: "SVE instruction that is not enabled", signal: unix.SIGILL},
	armMisaligned: {reason: "misaligned program counter", signal: unix.SIGBUS, address: true},
	0x26:          {reason: "misaligned stack pointer", signal: unix.SIGBUS},
	0x2c:          {reason: "floating-point exception", signal: unix.SIGFPE},
	0x3c:          {reason: "breakpoint instruction", signal: unix.SIGTRAP},
}

// Syndrome of an abort: the same section, "ISS encoding for an exception from a Data Abort".
const (
	armWnR        = 1 << 6 // a write
	armStatus     = 0x3f
	armAlignment  = 0x21
	armPermission = 0x0c // and the level in the low two bits
	armLevel      = 0x03
)

// causeARM says what an exception means.
func causeARM(esr uint64) cause {
	class, status := esr>>26&0x3f, esr&armStatus
	switch {
	case class == armDataAbort && status == armAlignment:
		return cause{reason: "misaligned access", signal: unix.SIGBUS, address: true}
	case class == armDataAbort || class == armFetchAbort:
		return access{
			write:  class == armDataAbort && esr&armWnR != 0,
			fetch:  class == armFetchAbort,
			mapped: status&^armLevel == armPermission,
		}.cause()
	}
	if c, ok := armCauses[class]; ok {
		return c
	}
	return cause{reason: fmt.Sprintf("exception of class %#x", class), signal: unix.SIGSEGV}
}
