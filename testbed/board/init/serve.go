package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/testbed/board/control"
)

// serve answers one connection.
func serve(c net.Conn) {
	defer c.Close()
	r := control.NewReader(c)
	req, err := control.ReadRequest(r)
	if err != nil {
		say("%v", err)
		return
	}
	switch {
	case req.PowerOff:
		powerOff()
	case req.Time != 0:
		ts := unix.NsecToTimespec(req.Time)
		err = unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
		if err == nil {
			err = control.WriteFrame(c, control.Status, make([]byte, 4))
		}
	case len(req.Run) > 0:
		err = runCommand(req, r, c)
	default:
		err = fmt.Errorf("empty request")
	}
	if err != nil {
		control.WriteFrame(c, control.Failed, []byte(err.Error()))
	}
}

// runCommand runs a command in a process group of its own, which ends with the connection.
func runCommand(req control.Request, signals io.Reader, c net.Conn) error {
	cmd := exec.Command(req.Run[0], req.Run[1:]...)
	cmd.Stdin = bytes.NewReader(req.Input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &framer{w: c}
	cmd.Stdout = out.stream(control.Stdout)
	cmd.Stderr = out.stream(control.Stderr)
	if err := cmd.Start(); err != nil {
		return err
	}
	group := -cmd.Process.Pid
	go func() {
		var b [1]byte
		for {
			if _, err := signals.Read(b[:]); err != nil {
				unix.Kill(group, unix.SIGKILL)
				return
			}
			unix.Kill(group, unix.Signal(b[0]))
		}
	}()
	cmd.Wait() // its error is the status
	state := cmd.ProcessState
	code := state.ExitCode()
	if ws := state.Sys().(syscall.WaitStatus); ws.Signaled() {
		code = 128 + int(ws.Signal())
	}
	return out.write(control.Status, binary.BigEndian.AppendUint32(nil, uint32(code)))
}

// A framer writes the frames of several streams to one connection.
type framer struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *framer) write(kind control.Kind, p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return control.WriteFrame(f.w, kind, p)
}

func (f *framer) stream(kind control.Kind) io.Writer { return stream{f, kind} }

type stream struct {
	f    *framer
	kind control.Kind
}

func (s stream) Write(p []byte) (int, error) {
	if err := s.f.write(s.kind, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
