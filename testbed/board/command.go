package board

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/migrated/migrated/testbed/board/control"
)

// A Process is a command that runs on a board. It is killed there when this process dies.
type Process struct {
	conn net.Conn
	done chan struct{}

	status int // once done is closed
	err    error
	kill   sync.Once
}

// Command starts a program on the board; argv[0] is its path there. What it writes goes to
// stdout and stderr, by one goroutine.
func (b *Board) Command(ctx context.Context, stdout, stderr io.Writer, argv ...string) (*Process, error) {
	return b.command(ctx, nil, stdout, stderr, argv)
}

func (b *Board) command(ctx context.Context, stdin []byte, stdout, stderr io.Writer, argv []string) (*Process, error) {
	if len(argv) == 0 {
		return nil, errors.New("no command")
	}
	c, err := b.dial(ctx, control.Request{Run: argv, Input: stdin})
	if err != nil {
		return nil, err
	}
	p := &Process{conn: c, done: make(chan struct{})}
	stop := context.AfterFunc(ctx, p.Kill)
	go func() {
		defer close(p.done)
		defer stop()
		defer c.Close()
		p.status, p.err = follow(c, stdout, stderr)
		if p.err != nil {
			p.err = fmt.Errorf("run %s on the board: %w", argv[0], errors.Join(context.Cause(ctx), p.err))
		}
	}()
	return p, nil
}

// follow copies output until the status comes.
func follow(r io.Reader, stdout, stderr io.Writer) (int, error) {
	for {
		kind, payload, err := control.ReadFrame(r)
		if err != nil {
			return 0, err
		}
		switch kind {
		case control.Stdout:
			_, err = stdout.Write(payload)
		case control.Stderr:
			_, err = stderr.Write(payload)
		case control.Failed:
			err = errors.New(string(payload))
		case control.Status:
			if len(payload) == 4 {
				return int(binary.BigEndian.Uint32(payload)), nil
			}
			err = fmt.Errorf("status of %d bytes", len(payload))
		default:
			err = fmt.Errorf("frame of kind %d", kind)
		}
		if err != nil {
			return 0, err
		}
	}
}

// Wait returns the command's exit status: 128 + n for signal n.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.status, p.err
}

// Signal sends a signal to the command and its children.
func (p *Process) Signal(s syscall.Signal) error {
	_, err := p.conn.Write([]byte{byte(s)})
	return err
}

// Kill ends the command and its children without waiting for an answer.
func (p *Process) Kill() { p.kill.Do(func() { p.conn.Close() }) }

// Run runs a program on the board to its end and returns its exit status.
func (b *Board) Run(ctx context.Context, stdout, stderr io.Writer, argv ...string) (int, error) {
	p, err := b.Command(ctx, stdout, stderr, argv...)
	if err != nil {
		return 0, err
	}
	return p.Wait()
}

// Output runs a program on the board with a standard input of its own, and returns what it
// prints. It is an error if the program ends with another status than 0.
func (b *Board) Output(ctx context.Context, stdin []byte, argv ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	p, err := b.command(ctx, stdin, &stdout, &stderr, argv)
	if err != nil {
		return nil, err
	}
	status, err := p.Wait()
	if err == nil && status != 0 {
		err = fmt.Errorf("run %s on the board: status %d: %s", argv[0], status, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), err
}
