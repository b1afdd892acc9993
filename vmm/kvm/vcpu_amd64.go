package kvm

import (
	"encoding/binary"
	"fmt"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

var hostTarget = &targetX86

const moduleHint = "sudo modprobe kvm_intel, or kvm_amd"

// machineType is the default; x86 has no other that we need.
func machineType(handle) uintptr { return 0 }

// tssPages is where KVM may put three pages of its own. Processors without "unrestricted
// guest" need them (api.rst, KVM_SET_TSS_ADDR). It lies behind the device pages.
const tssPages = 0xfffbd000

// prepare does what must be done before the virtual CPU is made.
func (b *blank) prepare(kvm handle) error {
	if kvm.extension(capSetTSSAddr) != 0 {
		if _, err := b.vm.ioctl(kvmSetTSSAddr, tssPages); err != nil {
			return fmt.Errorf("set the address of KVM's own pages: %w", err)
		}
	}
	return nil
}

// cpuModel is what a virtual CPU has that its control registers depend on.
type cpuModel struct {
	cr4 uint64
}

// initCPU gives the virtual CPU the features of this host's, and floating-point units as a
// process finds them.
func (b *blank) initCPU(kvm handle) error {
	id := &x86CPUID{}
	id.n = uint32(len(id.entries))
	if err := call(kvm, kvmGetSupportedCPUID, id); err != nil {
		return fmt.Errorf("ask for the CPU's features: %w", err)
	}
	if err := call(b.vcpu, kvmSetCPUID2, id); err != nil {
		return fmt.Errorf("set the CPU's features: %w", err)
	}
	b.cpu.cr4 = cr4PAE | cr4OSFXSR | cr4OSXMMEXCPT
	if id.has(7, 0, func(e *x86CPUIDEntry) bool { return e.ebx&(1<<0) != 0 }) {
		b.cpu.cr4 |= cr4FSGSBASE
	}
	if id.hasXSAVE() {
		b.cpu.cr4 |= cr4OSXSAVE
	}
	return b.setFloat(id)
}

// setUp brings the virtual CPU to the program's entry point, in ring 3.
func (m *Machine) setUp(entry vmm.GuestVirt) error {
	if err := m.setSystem(); err != nil {
		return err
	}
	// The zero below the stack's end is the return address of the entry point.
	stack := uint64(hostabi.CPUStackBase + hostabi.CPUStackSize - 8)
	regs := x86Regs{rip: uint64(entry), rsp: stack, rflags: x86FlagsFixed}
	if err := call(m.vcpu, kvmSetRegs, &regs); err != nil {
		return fmt.Errorf("set registers: %w", err)
	}
	return nil
}

// x86FlagsFixed is bit 1 of RFLAGS, always set. Interrupts need not be enabled: there are
// none.
const x86FlagsFixed = 1 << 1

// Control registers: Intel SDM 3A, 2.5 "Control Registers"; 2.2.1 "Extended Feature Enable
// Register".
const (
	cr0 = 1<<0 | 1<<1 | 1<<4 | 1<<5 | 1<<16 | 1<<31 // PE MP ET NE WP PG

	cr4PAE        = 1 << 5
	cr4OSFXSR     = 1 << 9
	cr4OSXMMEXCPT = 1 << 10
	cr4FSGSBASE   = 1 << 16
	cr4OSXSAVE    = 1 << 18

	efer = 1<<8 | 1<<10 | 1<<11 // LME LMA NXE; without SCE, syscall is an undefined instruction
)

func (m *Machine) setSystem() error {
	var s x86Sregs
	if err := call(m.vcpu, kvmGetSregs, &s); err != nil {
		return fmt.Errorf("get system registers: %w", err)
	}
	s.cs = x86Segment{selector: x86GuestCS, limit: 0xffffffff, typ: 0xb, present: 1, dpl: 3, s: 1, l: 1, g: 1}
	data := x86Segment{selector: x86GuestSS, limit: 0xffffffff, typ: 0x3, present: 1, dpl: 3, db: 1, s: 1, g: 1}
	s.ds, s.es, s.fs, s.gs, s.ss = data, data, data, data, data
	s.tr = x86Segment{base: uint64(monitorCode) + x86TSS, selector: x86TR, limit: x86TSSLimit, typ: 0xb, present: 1}
	s.ldt = x86Segment{unusable: 1}
	s.gdt = x86Table{base: uint64(monitorCode) + x86GDT, limit: uint16(8*len(x86GDTEntries) - 1)}
	s.idt = x86Table{base: uint64(monitorCode) + x86IDT, limit: 16*x86Vectors - 1}
	s.cr0, s.cr3, s.efer = cr0, uint64(m.mem.root), efer
	s.cr4 = m.cpu.cr4
	if err := call(m.vcpu, kvmSetSregs, &s); err != nil {
		return fmt.Errorf("set system registers: %w", err)
	}
	return nil
}

// guestXCR0 is what a guest may use where the processor has it: x87, SSE, AVX and AVX-512
// (Intel SDM 1, 13.3 "Enabling the XSAVE Feature Set"). Tiles need a permission that a
// process has to ask for; no build uses them.
const guestXCR0 = 0xe7

// setFloat gives the floating-point units the state that a process begins with (System V
// ABI, AMD64 supplement, 3.4.1 "Initial Stack and Register State").
func (b *blank) setFloat(id *x86CPUID) error {
	if err := call(b.vcpu, kvmSetFPU, &x86FPU{fcw: 0x37f, mxcsr: 0x1f80}); err != nil {
		return fmt.Errorf("set floating-point state: %w", err)
	}
	if !id.hasXSAVE() {
		return nil
	}
	x := x86XCRs{n: 1}
	x.xcr[0].value = id.xcr0() & guestXCR0
	if err := call(b.vcpu, kvmSetXCRs, &x); err != nil {
		return fmt.Errorf("enable vector registers: %w", err)
	}
	return nil
}

// has says whether a leaf is there and satisfies a condition.
func (id *x86CPUID) has(function, index uint32, ok func(*x86CPUIDEntry) bool) bool {
	for i := range id.entries[:min(id.n, uint32(len(id.entries)))] {
		if e := &id.entries[i]; e.function == function && e.index == index {
			return ok(e)
		}
	}
	return false
}

func (id *x86CPUID) hasXSAVE() bool {
	return id.has(1, 0, func(e *x86CPUIDEntry) bool { return e.ecx&(1<<26) != 0 })
}

// xcr0 returns the features that XCR0 may enable.
func (id *x86CPUID) xcr0() (features uint64) {
	id.has(0xd, 0, func(e *x86CPUIDEntry) bool {
		features = uint64(e.edx)<<32 | uint64(e.eax)
		return true
	})
	return features
}

// registers returns the registers by DWARF number (System V ABI, AMD64 supplement, figure
// 3.36 "DWARF Register Number Mapping").
func (m *Machine) registers() ([]uint64, uint64, error) {
	var r x86Regs
	if err := call(m.vcpu, kvmGetRegs, &r); err != nil {
		return nil, 0, fmt.Errorf("get registers: %w", err)
	}
	return []uint64{
		r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp,
		r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip,
	}, r.rip, nil
}

// dwarfRSP and dwarfRIP are columns of registers.
const (
	dwarfRSP = 7
	dwarfRIP = 16
)

// reported reads what the monitor has reported. The processor has pushed SS, RSP, RFLAGS,
// CS, RIP and for some exceptions an error code (Intel SDM 3A, 7.14.2 "64-Bit Mode Stack
// Frame"); the stub has changed no register.
func (m *Machine) reported() (*vmm.Fault, error) {
	vector := int(m.run.mmio.data[0])
	regs, pc, err := m.registers()
	if err != nil {
		return nil, err
	}
	stack, err := m.mem.find(monitorStack, hostabi.PageSize, permMonitor)
	if err != nil {
		return nil, err
	}
	word := func(n int) uint64 { return binary.LittleEndian.Uint64(stack[hostabi.PageSize-8*n:]) }
	if cs := word(4); cs != x86GuestCS {
		return nil, fmt.Errorf("monitor itself met exception %d at %#x", vector, pc)
	}
	regs[dwarfRSP], regs[dwarfRIP] = word(2), word(5)
	var code uint64
	if x86PushesError>>vector&1 != 0 {
		code = word(6)
	}
	c := causeX86(vector, code)
	f := &vmm.Fault{Reason: c.reason, PC: regs[dwarfRIP], Regs: regs, Signal: int(c.signal)}
	if c.address {
		var s x86Sregs
		if err := call(m.vcpu, kvmGetSregs, &s); err != nil {
			return nil, fmt.Errorf("get system registers: %w", err)
		}
		f.Addr, f.HasAddr = s.cr2, true
	}
	return f, nil
}
