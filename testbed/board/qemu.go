package board

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// emulator is the program that is a board, from Debian's qemu-system-arm.
const emulator = "qemu-system-aarch64"

// qemuArgs describes the board: a machine with EL2, so that it has KVM. Pointer
// authentication and SVE are off because they are slow to emulate; a boot with the former
// takes five times as long.
func qemuArgs(k kernel, memory uint64, ports map[int]int) []string {
	network := "user,id=net"
	for board, host := range ports {
		network += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-:%d", host, board)
	}
	return []string{
		"-M", "virt,virtualization=on,gic-version=3",
		"-cpu", "max,pauth=off,sve=off", "-smp", "2",
		"-accel", "tcg,thread=multi",
		"-m", fmt.Sprintf("%dk", memory/1024),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", k.image, "-initrd", fmt.Sprintf("/proc/self/fd/%d", initramfsFD),
		"-append", "console=ttyAMA0 quiet panic=-1",
		"-serial", "stdio",
		"-netdev", network, "-device", "virtio-net-device,netdev=net",
	}
}

// initramfsFD is QEMU's descriptor of the initramfs, the first behind the standard ones.
const initramfsFD = 3

// A process is a running QEMU.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer     // kept open: the serial port reads it
	ended chan struct{} // closed when it is gone
	err   error         // then, how
}

// startQEMU starts QEMU with its serial port and its own messages on console. It ends with
// this process, whatever that dies of.
func startQEMU(args []string, initramfs *os.File, console io.Writer) (*process, error) {
	p := &process{cmd: exec.Command(emulator, args...), ended: make(chan struct{})}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	p.cmd.Stdout, p.cmd.Stderr = console, console
	p.cmd.ExtraFiles = []*os.File{initramfs}
	// A group of its own: Ctrl-C on a terminal is for us to pass on.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go func() {
		// The signal comes when the thread dies that started the process (prctl(2),
		// PR_SET_PDEATHSIG), so the thread waits with it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		stdin.Close()
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("%w: install qemu-system-arm (scripts/setup does)", err)
		}
		return nil, err
	}
	return p, nil
}

// signal sends a signal to QEMU.
func (p *process) signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// kill ends QEMU at once and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
	p.stdin.Close()
}

// freePorts finds a free port on loopback for each port of the board. Another process may
// take one before QEMU does; portTaken tells.
func freePorts(board []int) (map[int]int, error) {
	ports := map[int]int{}
	for _, b := range board {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // after all are found, so that they differ
		ports[b] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// portTaken says whether QEMU ended because of a port.
func portTaken(console string) bool {
	return strings.Contains(console, "Could not set up host forwarding rule")
}
