package kvm_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

const nowhere = 0x12345678

func TestFaults(t *testing.T) {
	needKVM(t)
	g := program(t, "probe", hostISA())
	at := func(addr uint64) *uint64 { return &addr }
	text, rodata, area := at(symbol(t, g, "call")), at(symbol(t, g, "constant")), at(symbol(t, g, "area"))
	const noRead, noWrite = "read of memory that is not mapped", "write to memory that is not mapped"
	const readOnly, noExec, noFetch = "write to read-only memory", "jump to memory that is not executable", "jump to memory that is not mapped"
	for _, tt := range []struct {
		name   string
		what   uint64
		reason string // on both ISAs
		signal unix.Signal
		addr   *uint64 // nil: none
		only   *isa.ISA
	}{
		{"null pointer", readNull, noRead, unix.SIGSEGV, at(0), nil},
		{"write to text", writeText, readOnly, unix.SIGSEGV, text, nil},
		{"write to a constant", writeRodata, readOnly, unix.SIGSEGV, rodata, nil},
		{"run data", runData, noExec, unix.SIGSEGV, area, nil},
		{"wild jump", jumpWild, noFetch, unix.SIGSEGV, at(nowhere), nil},
		{"write to the gate", writeGate, readOnly, unix.SIGSEGV, at(hostabi.GateBase), nil},
		{"division by zero", divide, "integer division by zero or overflow", unix.SIGFPE, nil, isa.X86_64},
		{"undefined", undefined, "undefined instruction", unix.SIGILL, nil, nil},
		{"system call", systemCall, "system call instruction", unix.SIGILL, nil, isa.AArch64},
		{"breakpoint", breakpoint, "breakpoint instruction", unix.SIGTRAP, nil, nil},
		{"privileged", privileged, "privileged instruction, or an address that is not canonical", unix.SIGSEGV, nil, isa.X86_64},
		{"privileged", privileged, "undefined instruction", unix.SIGILL, nil, isa.AArch64},
		{"not canonical", notCanonical, "privileged instruction, or an address that is not canonical", unix.SIGSEGV, nil, isa.X86_64},
		{"not canonical", notCanonical, noWrite, unix.SIGSEGV, at(1 << 63), isa.AArch64},
	} {
		if tt.only != nil && tt.only != hostISA() {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			m := newProbe(t, g, tt.what)
			f := m.run(t, vmm.StopFault).Fault
			if f.Reason != tt.reason || f.Signal != int(tt.signal) {
				t.Errorf("%q, signal %d; want %q, %d", f.Reason, f.Signal, tt.reason, tt.signal)
			}
			switch {
			case f.HasAddr != (tt.addr != nil):
				t.Errorf("has an address: %v, want %v", f.HasAddr, tt.addr != nil)
			case f.HasAddr && f.Addr != *tt.addr:
				t.Errorf("address %#x, want %#x", f.Addr, *tt.addr)
			}
			if jump := tt.what == runData || tt.what == jumpWild; jump && f.PC != *tt.addr {
				t.Errorf("PC %#x, want %#x", f.PC, *tt.addr)
			} else if end := *text + 0x10000; !jump && (f.PC < hostabi.TextBase || f.PC > end) {
				t.Errorf("PC %#x is not in the text", f.PC)
			}
			again := m.run(t, vmm.StopFault).Fault
			if again != f {
				t.Errorf("a guest that has crashed went on to %+v", again)
			}
		})
	}
}

// Pages around machine stacks, and the monitor's, are out of reach.
func TestGuards(t *testing.T) {
	needKVM(t)
	g := program(t, "probe", hostISA())
	for _, tt := range []struct {
		name     string
		what     uint64
		from, to uint64 // where the fault's address must lie
	}{
		{"stack of CPU 0", stackOverflow, hostabi.CPUStackBase - hostabi.PageSize, hostabi.CPUStackBase},
		{"stack of thread 0", threadStackOverflow, hostabi.StackBase, hostabi.StackBase + hostabi.StackStride - hostabi.StackSize},
		{"monitor", readMonitor, 0x7f00000000, 0x7f00000001},
		{"code on the stack", runStack, hostabi.CPUStackBase, hostabi.CPUStackBase + hostabi.CPUStackSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newProbe(t, g, tt.what).run(t, vmm.StopFault).Fault
			if f.Signal != int(unix.SIGSEGV) || !f.HasAddr || f.Addr < tt.from || f.Addr >= tt.to {
				t.Errorf("fault %+v, want one in [%#x, %#x)", f, tt.from, tt.to)
			}
		})
	}
}

// The doorbell page can only be stored to, by an instruction that KVM can tell.
func TestDoorbellMisuse(t *testing.T) {
	needKVM(t)
	g := program(t, "probe", hostISA())
	newProbe(t, g, readDoorbell).run(t, vmm.StopFault)
	if hostISA() == isa.AArch64 {
		newProbe(t, g, pairDoorbell).run(t, vmm.StopFault)
	}
}

// There is no kernel to call. On x86 what happens depends on whether KVM honours EFER.SCE for
// its guest's ring 3; where it does not, the processor jumps to an entry point that is not
// there.
func TestSystemCall(t *testing.T) {
	needKVM(t)
	newProbe(t, program(t, "probe", hostISA()), systemCall).run(t, vmm.StopFault)
}

// A fault has the registers of the guest, by DWARF number.
func TestFaultRegisters(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doRegisters)
	f := m.run(t, vmm.StopFault).Fault
	a := hostISA()
	for n, got := range f.Regs {
		want := uint64(100 + n)
		switch {
		case n == a.DWARFSP:
			want = 0x10c0
		case n == len(f.Regs)-1:
			want = f.PC
		}
		if got != want {
			t.Errorf("%s is %#x, want %#x", a.RegName(n), got, want)
		}
	}
	regs, pc, err := m.Registers()
	check(t, err)
	if pc != f.PC || len(regs) != len(f.Regs) {
		t.Errorf("Registers gave %d registers and PC %#x, the fault %d and %#x", len(regs), pc, len(f.Regs), f.PC)
	}
}
