// Package tender runs a guest as a plain Linux process, natively or under user-mode
// emulation of another ISA: for tests, and as the base of a backend for hosts without KVM.
// The process is not confined yet: run only images that you trust.
//
// The child maps the guest's memory from two files that it shares with the host, enters the
// guest, and from then on makes no system call but those of the gate (futex) and of the
// fault handler (exit_group).
package tender

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// firstAck lets the child in; the doorbell begins there too, and each ring adds two.
const firstAck = 2

// A Machine is a guest in a child process. It implements vmm.Machine and vmm.Registrar.
type Machine struct {
	mem   *memory
	ctl   *hostabi.Ctl
	child *child
	regs  int // general registers of the ISA

	acked  uint32 // what ack has or, before the first Run, will have
	paused bool   // by a kick
	kicked atomic.Bool
}

var (
	_ vmm.Machine   = (*Machine)(nil)
	_ vmm.Registrar = (*Machine)(nil)
)

// New makes the process; it waits for the first Run.
func New(spec vmm.Spec) (vmm.Machine, error) {
	st, err := stubFor(spec.Build.ISA)
	if err != nil {
		return nil, err
	}
	program, err := vmm.Load(spec.Build, spec.Memory)
	if err != nil {
		return nil, err
	}
	mem, err := newMemory(program, spec.Memory, !spec.Resume)
	if err != nil {
		return nil, err
	}
	m := &Machine{mem: mem, acked: firstAck, regs: st.regs}
	if err := m.start(spec, st, program); err != nil {
		mem.close()
		return nil, err
	}
	return m, nil
}

func (m *Machine) start(spec vmm.Spec, st stub, program *vmm.Program) error {
	gate, err := m.mem.at(hostabi.GateBase, hostabi.PageSize)
	if err != nil {
		return err
	}
	copy(gate, st.gate)
	page, err := m.mem.at(hostabi.CtlBase, hostabi.PageSize)
	if err != nil {
		return err
	}
	if m.ctl, err = hostabi.CtlAt(page); err != nil {
		return err
	}
	m.ctl.Bell = firstAck
	file, err := st.file(spec.Build.ISA.Machine, uint64(program.Entry), childFDs, m.mem.table())
	if err != nil {
		return err
	}
	m.child, err = startChild(spec.Build.ISA, file, m.mem.portableFile, m.mem.privateFile, m.wake)
	return err
}

// Portable returns the host's mapping of the portable region.
func (m *Machine) Portable() []byte { return m.mem.portable }

// Backing returns the file that Portable maps.
func (m *Machine) Backing() *os.File { return m.mem.portableFile }

// At returns n bytes of private memory.
func (m *Machine) At(addr vmm.GuestVirt, n int) ([]byte, error) { return m.mem.at(addr, n) }

// Run lets the guest go on until it rings, faults or is kicked.
func (m *Machine) Run() (vmm.Stop, error) {
	if m.paused {
		m.paused = false
		if err := m.child.signal(unix.SIGCONT); err != nil {
			return vmm.Stop{}, fmt.Errorf("let the child go on: %w", err)
		}
	}
	if atomic.LoadUint32(&m.ctl.Ack) != m.acked {
		atomic.StoreUint32(&m.ctl.Ack, m.acked)
		futexWakeAll(&m.ctl.Ack)
	}
	for {
		bell := atomic.LoadUint32(&m.ctl.Bell)
		if bell&^1 != m.acked {
			m.acked = bell &^ 1
			return vmm.Stop{Kind: vmm.StopDoorbell}, nil
		}
		if m.child.ended.Load() {
			return m.end()
		}
		if m.kicked.Swap(false) {
			m.paused = true
			return vmm.Stop{Kind: vmm.StopKicked}, m.child.pause()
		}
		if err := futexSleep(&m.ctl.Bell, bell); err != nil {
			return vmm.Stop{}, fmt.Errorf("wait for the guest: %w", err)
		}
	}
}

// Kick ends the Run that is under way, or the next one.
func (m *Machine) Kick() {
	m.kicked.Store(true)
	m.wake()
}

// wake ends the host's wait for the bell: bit 0 is the host's own.
func (m *Machine) wake() {
	for {
		bell := atomic.LoadUint32(&m.ctl.Bell)
		if atomic.CompareAndSwapUint32(&m.ctl.Bell, bell, bell^1) {
			break
		}
	}
	futexWakeAll(&m.ctl.Bell)
}

// Close kills the process and frees the memory.
func (m *Machine) Close() error {
	m.child.kill()
	m.mem.close()
	return nil
}

// Registers returns what the gate or the fault handler left; at a doorbell the PC is the
// gate's first instruction.
func (m *Machine) Registers() ([]uint64, uint64, error) {
	c := m.ctl.Crash
	return c.Regs[:m.regs], c.PC, nil
}

// faults says in words what the fault handler's signals stand for.
var faults = map[syscall.Signal]string{
	syscall.SIGILL:  "undefined instruction",
	syscall.SIGTRAP: "breakpoint",
	syscall.SIGBUS:  "bus error",
	syscall.SIGFPE:  "arithmetic fault",
	syscall.SIGSEGV: "page fault",
}

// siKernel is the si_code of a SIGSEGV without an address, as for a non-canonical one on
// x86-64 (uapi/asm-generic/siginfo.h, SI_KERNEL).
const siKernel = 0x80

// end says why the process is gone.
func (m *Machine) end() (vmm.Stop, error) {
	status := m.child.status()
	crash := m.ctl.Crash
	sig := syscall.Signal(crash.Kind)
	reason, known := faults[sig]
	if code := m.child.cmd.ProcessState.ExitCode(); code != exitCrashed || !known {
		switch {
		case code == exitRegion:
			return vmm.Stop{}, fmt.Errorf("child could not map the guest's memory (%s)", status)
		case code == exitSetup:
			return vmm.Stop{}, fmt.Errorf("child could not set up its fault handler (%s)", status)
		}
		return vmm.Stop{Kind: vmm.StopFault, Fault: &vmm.Fault{
			Reason: "the process that ran it ended: " + status, Signal: int(syscall.SIGKILL),
		}}, nil
	}
	f := &vmm.Fault{Reason: reason, PC: crash.PC, Regs: crash.Regs[:m.regs], Signal: int(sig)}
	switch {
	case sig == syscall.SIGSEGV && crash.Code == siKernel:
		f.Reason = "address that is not canonical"
	case sig == syscall.SIGSEGV || sig == syscall.SIGBUS:
		f.Addr, f.HasAddr = crash.Addr, true
	}
	return vmm.Stop{Kind: vmm.StopFault, Fault: f}, nil
}
