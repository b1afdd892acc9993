package kvm

import "golang.org/x/sys/unix"

// A cause is what an exception means to people, and the signal that a process would get.
type cause struct {
	reason  string
	signal  unix.Signal
	address bool // the processor says which address it was
}

// An access is what a processor tells about an access to memory that it refused.
type access struct {
	write, fetch bool
	mapped       bool // something is there, but not for this
}

func (a access) cause() cause {
	c := cause{signal: unix.SIGSEGV, address: true}
	switch {
	case a.fetch && a.mapped:
		c.reason = "jump to memory that is not executable"
	case a.fetch:
		c.reason = "jump to memory that is not mapped"
	case a.write && a.mapped:
		c.reason = "write to read-only memory"
	case a.write:
		c.reason = "write to memory that is not mapped"
	case a.mapped:
		c.reason = "read of memory that is not readable"
	default:
		c.reason = "read of memory that is not mapped"
	}
	return c
}
