package tender

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/isa"
)

// emulatorBase is where the emulator puts the guest's address 0 in its own address space:
// away from its own program, libraries and heap, which lie at the top and around
// 0x550000000000. 1 TiB, with the guest ending below another half.
const emulatorBase = "0x10000000000"

// A child is the process that runs a guest.
type child struct {
	cmd    *exec.Cmd
	pidfd  int
	stderr tail

	ended atomic.Bool   // it has been reaped
	done  chan struct{} // closed after ended is set and onEnd was called
}

// startChild runs an ELF file of the ISA a, with two files as descriptors 3 and 4. onEnd is
// called when the process has ended.
func startChild(a *isa.ISA, file []byte, portable, private *os.File, onEnd func()) (*child, error) {
	program, err := executable(file)
	if err != nil {
		return nil, fmt.Errorf("make the child's program: %w", err)
	}
	defer program.Close()
	path := fmt.Sprintf("/proc/self/fd/%d", fdStub)
	argv := []string{"migrated-guest"}
	if a.OCI != runtime.GOARCH {
		emulator, err := exec.LookPath(a.QEMUUser)
		if err != nil {
			return nil, fmt.Errorf("run %s code on %s (install Debian's qemu-user-static): %w", a.Name, runtime.GOARCH, err)
		}
		argv = []string{emulator, "-B", emulatorBase, path}
		path = emulator
	}
	c := &child{done: make(chan struct{})}
	c.cmd = &exec.Cmd{
		Path:       path,
		Args:       argv,
		Env:        []string{},
		Dir:        "/",
		Stderr:     &c.stderr,
		ExtraFiles: []*os.File{portable, private, program},
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true, // a terminal's Ctrl-C is for the host to interpret
			Pdeathsig: syscall.SIGKILL,
			PidFD:     &c.pidfd,
		},
	}
	if err := spawn(c.cmd); err != nil {
		return nil, fmt.Errorf("start the child: %w", err)
	}
	if c.pidfd < 0 {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		return nil, errors.New("no pidfd from the kernel: Linux 5.4 or newer is needed")
	}
	go func() {
		c.cmd.Wait() // how it ended is in ProcessState
		c.ended.Store(true)
		onEnd()
		close(c.done)
	}()
	return c, nil
}

// executable returns a file in memory that can be executed.
func executable(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("migrated-stub", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if err == unix.EINVAL { // Linux before 6.3, where each is executable
		fd, err = unix.MemfdCreate("migrated-stub", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "stub")
	if _, err := f.Write(content); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// signal sends s; a process that has ended already does not matter.
func (c *child) signal(s unix.Signal) error {
	err := unix.PidfdSendSignal(c.pidfd, s, nil, 0)
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// pause stops the process and returns when it has stopped, or ended.
func (c *child) pause() error {
	if err := c.signal(unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop the child: %w", err)
	}
	for {
		err := unix.Waitid(unix.P_PIDFD, c.pidfd, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch err {
		case nil, unix.ECHILD:
			return nil
		case unix.EINTR:
		default:
			return fmt.Errorf("wait for the child to stop: %w", err)
		}
	}
}

// kill ends the process and returns when it is gone.
func (c *child) kill() {
	c.signal(unix.SIGKILL)
	<-c.done
	unix.Close(c.pidfd)
}

// status says in words how a process ended that should not have. It may be called once the
// process has ended.
func (c *child) status() string {
	<-c.done
	s := c.cmd.ProcessState.String()
	if text := strings.TrimSpace(c.stderr.buf.String()); text != "" {
		s += ": " + text
	}
	return s
}

// A tail keeps the beginning of what is written to it.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p[:min(len(p), 1024-min(1024, t.buf.Len()))])
	return len(p), nil
}
