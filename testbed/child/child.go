// Package child runs processes that end with this one, whatever it dies of.
package child

import (
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Process is one that was started.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone
	err   error         // then, how
}

// Start starts a command in a process group of its own: Ctrl-C on a terminal is for us to
// pass on.
func Start(cmd *exec.Cmd) (*Process, error) { return StartIn(cmd, nil) }

// StartIn is Start on a thread that enter, if not nil, has moved into another namespace. The
// thread ends with the process.
func StartIn(cmd *exec.Cmd, enter func() error) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go func() {
		// The signal comes when the thread dies that started the process (prctl(2),
		// PR_SET_PDEATHSIG), so the thread waits with it.
		runtime.LockOSThread()
		var err error
		if enter == nil {
			defer runtime.UnlockOSThread()
		} else {
			err = enter()
		}
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process is gone.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Wait waits until the process is gone and all that it wrote has been copied; the result is
// that of exec.Cmd's Wait.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Signal sends a signal to the process.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// AwaitStop returns once the process has stopped after SIGSTOP, or has ended. One of its threads has to
// run to take the signal, and on a busy machine the others go on until then.
func (p *Process) AwaitStop() error {
	for {
		err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err
		}
	}
}

// Kill ends the process and all of its group at once, and waits until it is gone.
func (p *Process) Kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	// The process is the leader of its group (setpgid(2)).
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.ended
}
