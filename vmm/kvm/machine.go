// Package kvm runs guests on Linux's KVM, on x86-64 and aarch64 hosts.
//
// The guest runs unprivileged from its first instruction, in an address space that the host
// made for it. Above it there is only the monitor: some bytes of code that report a fault by
// a store that KVM turns into an exit. A guest reaches the host by such a store too, to the
// doorbell page. There are no interrupts, no devices and no firmware.
package kvm

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A Machine is a guest on KVM. It implements vmm.Machine, vmm.Registrar and vmm.Timekeeper.
type Machine struct {
	*blank
	mem    *memory
	run    *runPage // the virtual CPU's page
	kick   kicker
	fault  *vmm.Fault // the guest's last act
	timing timing
	dirty  []uint64 // where KVM writes its dirty log
}

var (
	_ vmm.Machine    = (*Machine)(nil)
	_ vmm.Registrar  = (*Machine)(nil)
	_ vmm.Timekeeper = (*Machine)(nil)
	_ vmm.Keeper     = (*Machine)(nil)
)

// Open opens /dev/kvm for the life of the process and returns what makes machines of it, as New
// does. All that can be done for the first one in advance, is done now.
func Open() (func(vmm.Spec) (vmm.Machine, error), error) {
	kvm, err := openDevice()
	if err != nil {
		return nil, err
	}
	first, err := newBlank(kvm)
	if err != nil {
		kvm.close()
		return nil, err
	}
	rehearse()
	var ready atomic.Pointer[blank]
	ready.Store(first)
	next := func() (*blank, error) {
		if b := ready.Swap(nil); b != nil {
			return b, nil
		}
		return newBlank(kvm)
	}
	return func(spec vmm.Spec) (vmm.Machine, error) { return makeMachine(next, spec) }, nil
}

// rehearse makes the memory of a small program and drops it, so that the code is in memory.
func rehearse() {
	p := &vmm.Program{Segments: []vmm.Segment{{Addr: hostabi.TextBase, Data: []byte{0}, MemSize: 1, Exec: true}}}
	if m, err := newMemory(hostTarget, p, largePage, true, nil); err == nil {
		m.close()
	}
}

// New makes a machine; its processor stands at the program's entry point.
func New(spec vmm.Spec) (vmm.Machine, error) {
	kvm, err := openDevice()
	if err != nil {
		return nil, err
	}
	defer kvm.close()
	return makeMachine(func() (*blank, error) { return newBlank(kvm) }, spec)
}

func makeMachine(next func() (*blank, error), spec vmm.Spec) (vmm.Machine, error) {
	if spec.Build.ISA != hostTarget.isa {
		return nil, fmt.Errorf("build is for %s, this host is %s", spec.Build.ISA.Name, hostTarget.isa.Name)
	}
	program, err := vmm.Load(spec.Build, spec.Memory)
	if err != nil {
		return nil, err
	}
	mem, err := newMemory(hostTarget, program, spec.Memory, !spec.Resume, spec.Kept)
	if err != nil {
		return nil, err
	}
	b, err := next()
	if err != nil {
		mem.close()
		return nil, err
	}
	m := &Machine{blank: b, mem: mem}
	if err := m.fill(program); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// fill gives a blank machine the guest's memory and its entry point.
func (m *Machine) fill(p *vmm.Program) error {
	for slot, mem := range map[uint32]struct {
		phys guestPhys
		host []byte
	}{slotPrivate: {0, m.mem.private}, slotPortable: {portablePhys, m.mem.portable}} {
		if err := m.setSlot(slot, 0, mem.phys, mem.host); err != nil {
			return fmt.Errorf("give it %d bytes of memory: %w", len(mem.host), err)
		}
	}
	m.run = (*runPage)(unsafe.Pointer(unsafe.SliceData(m.page)))
	m.kick.attach(m.run)
	if err := m.setUp(p.Entry); err != nil {
		return fmt.Errorf("set up the virtual CPU: %w", err)
	}
	return m.timing.measure(m)
}

// Memory slots. The portable region has one of its own for its dirty log.
const (
	slotPrivate  = 0
	slotPortable = 1
)

// Portable returns the host's mapping of the portable region.
func (m *Machine) Portable() []byte { return m.mem.portable }

// Backing returns nil: portable memory is anonymous.
func (m *Machine) Backing() *os.File { return nil }

// At returns n bytes of private memory.
func (m *Machine) At(addr vmm.GuestVirt, n int) ([]byte, error) { return m.mem.at(addr, n) }

// Run lets the guest go on until it rings, faults or is kicked. A caller that stays on one
// thread of the system (runtime.LockOSThread) spares KVM the work of following it.
func (m *Machine) Run() (vmm.Stop, error) {
	if m.fault != nil {
		return vmm.Stop{Kind: vmm.StopFault, Fault: m.fault}, nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m.kick.enter()
	defer m.kick.leave()
	for {
		errno := enterGuest(m.vcpu.fd)
		switch {
		case errno == unix.EINTR || errno == unix.EAGAIN:
			if m.kick.take() {
				return vmm.Stop{Kind: vmm.StopKicked}, nil
			}
		case errno != 0:
			return vmm.Stop{}, fmt.Errorf("run the virtual CPU: %w", errno)
		case m.run.reason == exitMMIO && guestPhys(m.run.mmio.phys) == doorbellPhys && m.run.mmio.write != 0:
			return vmm.Stop{Kind: vmm.StopDoorbell}, nil
		case m.run.reason != exitIntr:
			fault, err := m.explain()
			if err != nil {
				return vmm.Stop{}, err
			}
			m.fault = fault
			return vmm.Stop{Kind: vmm.StopFault, Fault: fault}, nil
		}
	}
}

// explain makes a fault of an exit that is not the doorbell's.
func (m *Machine) explain() (*vmm.Fault, error) {
	reason, io := m.run.reason, &m.run.mmio
	if reason == exitMMIO && guestPhys(io.phys)&^(hostabi.PageSize-1) == reportPhys && io.write != 0 {
		return m.reported()
	}
	regs, pc, err := m.registers()
	if err != nil {
		return nil, err
	}
	f := &vmm.Fault{PC: pc, Regs: regs, Signal: int(unix.SIGSEGV)}
	switch reason {
	case exitMMIO, exitNISV:
		f.Reason = "access to the doorbell that does not ring it"
		f.Addr, f.HasAddr = hostabi.DoorbellBase, true
	case exitShutdown:
		f.Reason = "exception that could not be reported"
	case exitInternalError:
		f.Reason = "instruction that the host's KVM cannot execute"
	default:
		return nil, fmt.Errorf("virtual CPU stopped at %#x for reason %d", pc, reason)
	}
	return f, nil
}

// Registers returns the registers at the last stop.
func (m *Machine) Registers() ([]uint64, uint64, error) {
	if m.fault != nil {
		return m.fault.Regs, m.fault.PC, nil
	}
	return m.registers()
}

// Kick ends the Run that is under way, or the next one.
func (m *Machine) Kick() { m.kick.kick() }

// Keep takes portable memory out.
func (m *Machine) Keep() *vmm.Kept {
	k := &vmm.Kept{Portable: m.mem.portable, Mapping: m.mem.mapped}
	m.mem.portable, m.mem.mapped = nil, nil
	return k
}

// Close frees everything.
func (m *Machine) Close() error {
	m.kick.detach()
	m.blank.close()
	m.mem.close()
	m.run = nil
	return nil
}
