package kvm

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

var hostTarget = &targetARM

const moduleHint = "it is part of Debian's kernel, which must have been started at EL2"

// machineType asks for as many bits of guest-physical address as are usual, 40, or for fewer
// where the host has fewer (api.rst, KVM_CREATE_VM).
func machineType(kvm handle) uintptr {
	const usual = 40
	if bits := kvm.extension(capIPASize); bits != 0 && bits < usual {
		return uintptr(bits)
	}
	return 0
}

// prepare does what must be done before the virtual CPU is made: an access to the doorbell by
// an instruction that the processor does not describe becomes an exit, where it would be an
// error of KVM_RUN.
func (b *blank) prepare(kvm handle) error {
	if kvm.extension(capNISVToUser) == 0 {
		return nil
	}
	if err := call(b.vm, kvmEnableCap, &armEnableCap{capability: capNISVToUser}); err != nil {
		return fmt.Errorf("have strange accesses reported: %w", err)
	}
	return nil
}

// cpuModel is empty: what the registers depend on is asked of the virtual CPU itself.
type cpuModel struct{}

// initCPU makes the virtual CPU one of this host's.
func (b *blank) initCPU(handle) error {
	var init armVCPUInit
	if err := call(b.vm, kvmARMPreferredTarget, &init); err != nil {
		return fmt.Errorf("ask for the CPU's model: %w", err)
	}
	if err := call(b.vcpu, kvmARMVCPUInit, &init); err != nil {
		return fmt.Errorf("initialise it as %+v: %w", init, err)
	}
	return nil
}

// setUp brings the virtual CPU to the program's entry point, at EL0.
func (m *Machine) setUp(entry vmm.GuestVirt) error {
	mmfr0, err := m.get(armMMFR0)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		reg   armReg
		value uint64
	}{
		{armMAIRReg, armMAIR},
		{armTCR, tcr(mmfr0)},
		{armTTBR0, uint64(m.mem.root)},
		{armSCTLR, sctlr},
		{armCPACR, cpacrFPEN},
		{armCNTKCTL, cntkctlEL0VCTEN},
		{armVBAR, uint64(monitorCode)},
		{armSPEL1, uint64(monitorReport)},
		{armSPEL0, hostabi.CPUStackBase + hostabi.CPUStackSize},
		{armPC, uint64(entry)},
		{armPState, pstateDAIF | pstateEL0t},
	} {
		if err := m.set(r.reg, r.value); err != nil {
			return err
		}
	}
	return nil
}

// PSTATE as SPSR_EL1 has it (D24.2 "SPSR_EL1"). Interrupts are masked: there are none.
const (
	pstateEL0t = 0
	pstateDAIF = 0xf << 6
)

// SCTLR_EL1: caches and translation on; alignment of the stack pointer checked; what Linux
// lets a process do: cache maintenance, dc zva, wfe.
const sctlr = 1<<0 | 1<<2 | 1<<12 | // M C I
	1<<3 | 1<<4 | // SA SA0
	1<<14 | 1<<15 | 1<<18 | 1<<26 | // DZE UCT nTWE UCI
	1<<11 | 1<<20 | 1<<22 | 1<<23 | 1<<28 | 1<<29 // reserved in the first version, one

// cpacrFPEN lets EL0 and EL1 use floating point and SIMD.
const cpacrFPEN = 3 << 20

// cntkctlEL0VCTEN lets EL0 read the virtual count.
const cntkctlEL0VCTEN = 1 << 1

// tcr returns TCR_EL1 for a processor with this ID_AA64MMFR0_EL1: one range of addresses
// from 0, 4 KiB pages, tables in normal memory.
func tcr(mmfr0 uint64) uint64 {
	const (
		t0sz = 64 - virtBits
		walk = 1<<8 | 1<<10 | 3<<12 // IRGN0 ORGN0 write-back, SH0 inner shareable
		epd1 = 1 << 23              // no upper range
		tbi0 = 0                    // the whole address counts
	)
	// PARange and IPS have the same encoding; 5 means 48 bits.
	ips := min(mmfr0&0xf, 5)
	return t0sz | walk | epd1 | tbi0 | ips<<32
}

func (m *Machine) get(reg armReg) (uint64, error) {
	var value uint64
	if err := m.oneReg(kvmGetOneReg, reg, &value); err != nil {
		return 0, fmt.Errorf("get register %#x: %w", uint64(reg), err)
	}
	return value, nil
}

func (m *Machine) set(reg armReg, value uint64) error {
	if err := m.oneReg(kvmSetOneReg, reg, &value); err != nil {
		return fmt.Errorf("set register %#x: %w", uint64(reg), err)
	}
	return nil
}

func (m *Machine) oneReg(request uintptr, reg armReg, value *uint64) error {
	// The address is a number in a structure, so nothing but the pin keeps value in place.
	var pin runtime.Pinner
	pin.Pin(value)
	defer pin.Unpin()
	return call(m.vcpu, request, &armOneReg{uint64(reg), uint64(uintptr(unsafe.Pointer(value)))})
}

// registers returns the registers by DWARF number (DWARF for the Arm 64-bit Architecture,
// 4.1 "DWARF register names"): x0 to x30, SP, PC.
func (m *Machine) registers() ([]uint64, uint64, error) {
	regs := make([]uint64, dwarfPC+1)
	for n := range regs {
		var err error
		if regs[n], err = m.get(armX0 + armReg(2*n)); err != nil {
			return nil, 0, err
		}
	}
	return regs, regs[dwarfPC], nil
}

// dwarfPC is the column of the PC in registers; core registers lie in the same order.
const dwarfPC = 32

// reported reads what the monitor has reported. The vector has changed no register, and SP
// is that of EL0.
func (m *Machine) reported() (*vmm.Fault, error) {
	vector := m.run.mmio.phys % hostabi.PageSize / 4
	regs, pc, err := m.registers()
	if err != nil {
		return nil, err
	}
	var esr, far uint64
	for _, r := range []struct {
		reg armReg
		to  *uint64
	}{{armESR, &esr}, {armFAR, &far}, {armELREL1, &regs[dwarfPC]}} {
		if *r.to, err = m.get(r.reg); err != nil {
			return nil, err
		}
	}
	if vector != armVectorSync {
		return nil, fmt.Errorf("monitor was entered at %#x by vector %d: ESR %#x, FAR %#x, ELR %#x",
			pc, vector, esr, far, regs[dwarfPC])
	}
	c := causeARM(esr)
	f := &vmm.Fault{Reason: c.reason, PC: regs[dwarfPC], Regs: regs, Signal: int(c.signal)}
	if c.address {
		f.Addr, f.HasAddr = far, true
	}
	return f, nil
}
