package qemu

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/testbed/child"
	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/testbed/netns"
)

// A Config describes a machine.
type Config struct {
	Firmware string // BuildFirmware's
	Heap     Heap
	Network  *netns.Namespace // where it is
	Incoming bool             // it waits to be moved to
}

// A Machine is a running QEMU.
type Machine struct {
	process *child.Process
	output  *cluster.Output // of its program, and QEMU's messages
	control *control
}

// spareMiB is memory beside the heap: two below it, and the rest for nothing.
const spareMiB = 16

// Start starts a machine. It ends with this process, whatever that dies of.
func Start(cfg Config) (*Machine, error) {
	image, err := firmware(cfg.Firmware, cfg.Heap)
	if err != nil {
		return nil, err
	}
	file, err := memoryFile(image)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	m := &Machine{output: cluster.NewOutput(nil), control: newControl(conn)}
	cmd := exec.Command(emulator, arguments(cfg)...)
	cmd.ExtraFiles = []*os.File{file, theirs}
	cmd.Stdout, cmd.Stderr = m.output, m.output
	if m.process, err = child.StartIn(cmd, cfg.Network.Enter); err != nil {
		m.control.close()
		if errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w: install qemu-system-x86 (scripts/setup does)", err)
		}
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	theirs.Close() // so that the connection ends with QEMU
	if err := m.control.do("qmp_capabilities", nil, nil); err != nil {
		m.Stop()
		return nil, fmt.Errorf("start QEMU: %w; it said:\n%s", err, m.output)
	}
	return m, nil
}

// emulator is Debian's qemu-system-x86.
const emulator = "qemu-system-x86_64"

// arguments describe the smallest machine that QEMU has, without firmware of its own. Where
// KVM has no register of a kind, QEMU must not set it.
func arguments(cfg Config) []string {
	argv := []string{
		"-M", "microvm,acpi=off,rtc=off,pit=off,pic=off", "-accel", "kvm",
		"-cpu", "host,arch-capabilities=off", "-m", fmt.Sprint(cfg.Heap.MiB + spareMiB),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-bios", fmt.Sprintf("/proc/self/fd/%d", firmwareFD),
		"-chardev", "stdio,id=console", "-device", "isa-debugcon,iobase=0xe9,chardev=console",
		"-chardev", fmt.Sprintf("socket,id=control,fd=%d", controlFD), "-mon", "chardev=control,mode=control",
	}
	if cfg.Incoming {
		argv = append(argv, "-incoming", "defer")
	}
	return argv
}

// QEMU's descriptors, behind the standard ones.
const (
	firmwareFD = 3
	controlFD  = 4
)

// socketPair returns the two ends of a connection.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// memoryFile returns a file that lives in memory alone.
func memoryFile(data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("firmware", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "firmware")
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// pollInterval is how often QEMU is looked at.
const pollInterval = 10 * time.Millisecond

// poll calls f until it is done or fails, or QEMU ends.
func (m *Machine) poll(ctx context.Context, f func() (done bool, err error)) error {
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-m.process.Done():
			return fmt.Errorf("QEMU ended: %v", m.process.Wait())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
}

// Await waits until the program has printed something.
func (m *Machine) Await(ctx context.Context, text string) error { return m.output.Await(ctx, text) }

// Stop ends the machine.
func (m *Machine) Stop() {
	m.control.close()
	m.process.Kill()
}
