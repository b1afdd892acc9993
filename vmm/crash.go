package vmm

import (
	"fmt"

	"github.com/migrated/migrated/vmm/hostabi"
)

// Signals of POSIX whose exit statuses stand for an end that the program did not choose.
const (
	signalAbort = 6
	signalKill  = 9
	signalSegv  = 11

	exitKilled = 128 + signalKill
)

// maxText bounds a message that the guest has for people, bytes.
const maxText = 4096

// exited is the end by the doorbell EXIT.
func exited(code, signal uint64) *Exit {
	e := &Exit{Code: int(code & 0xff)}
	if signal != 0 {
		e.Signal = int(signal & 0x7f)
		e.Code = 128 + e.Signal
	}
	return e
}

// brokeContract is the end of a guest that did what the contract does not allow.
func brokeContract(err error) Exit {
	return Exit{Code: exitKilled, Signal: signalKill, Crash: &Crash{
		Message: "the guest broke the contract with its host: " + err.Error(),
	}}
}

// panicked is the end by the doorbell PANIC.
func (g *Guest) panicked(message string, kind, signal uint64) *Exit {
	c := &Crash{Message: message}
	e := &Exit{Signal: signalAbort, Crash: c}
	switch kind {
	case hostabi.PanicAbort:
		c.Reason = "abort"
	case hostabi.PanicOOM:
		c.Reason = "out of memory"
		e.Signal = signalKill // as Linux's OOM killer does
	default:
		c.Reason = "kernel panic"
	}
	if signal > 0 && signal < 128 {
		e.Signal = int(signal)
	}
	e.Code = 128 + e.Signal
	if r, ok := g.machine.(Registrar); ok {
		if regs, pc, err := r.Registers(); err == nil {
			c.Regs, c.PC = regs, pc
		}
	}
	g.backtrace(c)
	return e
}

// faulted is the end by a fault.
func (g *Guest) faulted(f *Fault) Exit {
	c := &Crash{Fault: *f}
	if c.Signal == 0 {
		c.Signal = signalSegv
	}
	c.Message = g.explain(f)
	g.backtrace(c)
	return Exit{Code: 128 + c.Signal, Signal: c.Signal, Crash: c}
}

// nullArea is where an access is taken for one through a null pointer to something large.
const nullArea = 1 << 16

// explain says what a programmer calls such a fault; "" where it has no name.
func (g *Guest) explain(f *Fault) string {
	if !f.HasAddr {
		return ""
	}
	switch thread, overflow := overflown(f.Addr); {
	case f.PC == f.Addr && f.PC < nullArea:
		return "call of a null pointer"
	case f.PC == f.Addr && !g.isText(f.PC):
		return fmt.Sprintf("wild jump to %#x", f.PC)
	case overflow:
		return "stack overflow of " + thread
	case f.Addr < nullArea:
		return "null pointer"
	}
	return ""
}

// cpuStackGap is how far below the stack of CPU 0 an access is taken for its overflow, bytes.
const cpuStackGap = 64 << 10

// shadowGap is how far below portable memory an access is taken for a stack overflow, bytes.
const shadowGap = 128 << 20

// overflown says whose stack has its guard at addr.
func overflown(addr uint64) (owner string, ok bool) {
	off := addr - hostabi.StackBase
	if addr >= hostabi.StackBase && off < hostabi.MaxThreads*hostabi.StackStride {
		thread := off / hostabi.StackStride
		if start, _ := hostabi.MachineStack(int(thread)); addr < start {
			return fmt.Sprintf("thread %d", thread), true
		}
	}
	// The first thread's shadow stack begins portable memory; the gap below it is as wide as
	// the largest array that a program is likely to put on its stack.
	if addr < hostabi.PortableBase && addr >= hostabi.PortableBase-shadowGap {
		return "thread 0", true
	}
	// Below the stack of CPU 0 there is nothing.
	if addr < hostabi.CPUStackBase && addr >= hostabi.CPUStackBase-cpuStackGap {
		return "CPU 0", true
	}
	return "", false
}

// isText says whether code of the guest lies at pc.
func (g *Guest) isText(pc uint64) bool {
	p, err := Load(g.cfg.Build, g.cfg.Memory)
	if err != nil {
		return false
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Exec && pc >= uint64(s.Addr) && pc-uint64(s.Addr) < s.MemSize {
			return true
		}
	}
	return g.isGate(pc)
}

// text reads a message of the guest.
func (g *Guest) text(addr, n uint64) string {
	b := make([]byte, min(n, maxText))
	if err := g.read(addr, b); err != nil {
		return fmt.Sprintf("(message not readable: %v)", err)
	}
	return string(b)
}

// read copies guest memory: portable, private, or constants of the build.
func (g *Guest) read(addr uint64, b []byte) error {
	n := uint64(len(b))
	if mem := g.machine.Portable(); addr >= hostabi.PortableBase && addr-hostabi.PortableBase < uint64(len(mem)) {
		off := addr - hostabi.PortableBase
		if n > uint64(len(mem))-off {
			return fmt.Errorf("[%#x, +%#x) reaches beyond portable memory", addr, n)
		}
		return peek(b, mem[off:])
	}
	if at, err := g.machine.At(GuestVirt(addr), len(b)); err == nil {
		copy(b, at)
		return nil
	}
	p, err := Load(g.cfg.Build, g.cfg.Memory)
	if err != nil {
		return err
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if off := addr - uint64(s.Addr); addr >= uint64(s.Addr) && off < uint64(len(s.Data)) && n <= uint64(len(s.Data))-off {
			copy(b, s.Data[off:])
			return nil
		}
	}
	return fmt.Errorf("no memory at [%#x, +%#x)", addr, n)
}
