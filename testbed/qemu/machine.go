package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	dir     string
}

// spareMiB is memory beside the heap: two below it, and the rest for nothing.
const spareMiB = 16

// Start starts a machine. It ends with this process, whatever that dies of.
func Start(ctx context.Context, cfg Config) (*Machine, error) {
	image, err := firmware(cfg.Firmware, cfg.Heap)
	if err != nil {
		return nil, err
	}
	file, err := memoryFile(image)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m := &Machine{output: cluster.NewOutput(nil)}
	if m.dir, err = os.MkdirTemp("", "qemu-"); err != nil {
		return nil, err
	}
	socket := filepath.Join(m.dir, "qmp")
	cmd := exec.Command(emulator, arguments(cfg, socket)...)
	cmd.ExtraFiles = []*os.File{file}
	cmd.Stdout, cmd.Stderr = m.output, m.output
	if m.process, err = child.StartIn(cmd, cfg.Network.Enter); err != nil {
		m.Stop()
		if errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w: install qemu-system-x86 (scripts/setup does)", err)
		}
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	if err := m.connect(ctx, socket); err != nil {
		m.Stop()
		return nil, fmt.Errorf("start QEMU: %w; it said:\n%s", err, m.output)
	}
	return m, nil
}

// emulator is Debian's qemu-system-x86.
const emulator = "qemu-system-x86_64"

// arguments describe the smallest machine that QEMU has, without firmware of its own. Where
// KVM has no register of a kind, QEMU must not set it.
func arguments(cfg Config, socket string) []string {
	argv := []string{
		"-M", "microvm,acpi=off,rtc=off,pit=off,pic=off", "-accel", "kvm",
		"-cpu", "host,arch-capabilities=off", "-m", fmt.Sprint(cfg.Heap.MiB + spareMiB),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-bios", fmt.Sprintf("/proc/self/fd/%d", firmwareFD),
		"-chardev", "stdio,id=console", "-device", "isa-debugcon,iobase=0xe9,chardev=console",
		"-qmp", "unix:" + socket + ",server=on,wait=off",
	}
	if cfg.Incoming {
		argv = append(argv, "-incoming", "defer")
	}
	return argv
}

// firmwareFD is QEMU's descriptor of its firmware, the first behind the standard ones.
const firmwareFD = 3

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

// connect waits for QEMU's socket.
func (m *Machine) connect(ctx context.Context, socket string) error {
	return m.poll(ctx, func() (done bool, err error) {
		m.control, err = dialControl(socket)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
			return false, nil
		}
		return err == nil, err
	})
}

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
	if m.control != nil {
		m.control.close()
	}
	if m.process != nil {
		m.process.Kill()
	}
	os.RemoveAll(m.dir)
}
