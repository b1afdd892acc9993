// Package board boots emulated aarch64 machines: Debian's kernel under QEMU, with KVM of its
// own, everything in memory. A board lives no longer than the process that started it.
package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/migrated/migrated/testbed/board/control"
)

// HostAddr is where programs on a board find the machine that started it.
const HostAddr = "10.0.2.2"

// defaultMemory is a board's memory unless it is told otherwise, bytes.
const defaultMemory = 512 << 20

// A Config describes a board. Its zero value is a board with nothing on it.
type Config struct {
	Memory  uint64            // bytes; 0: 512 MiB
	System  string            // directory here with a Debian system, which is booted (BuildSystem); "": none
	Files   map[string]string // path on the board to path here; modes are kept
	Forward []int             // TCP ports of the board that Addr is asked for
	Console io.Writer         // gets a copy of what comes from the serial port; may be nil
}

// A Board is one that was started.
type Board struct {
	ports   map[int]int
	process *process
	console *console
}

// Start boots a board and returns when it takes commands.
func Start(ctx context.Context, cfg Config) (*Board, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	k, err := fetchKernel(root)
	if err != nil {
		return nil, err
	}
	init, err := buildInit(root)
	if err != nil {
		return nil, err
	}
	if cfg.Memory == 0 {
		cfg.Memory = defaultMemory
	}
	initramfs, err := newInitramfs(init, k, cfg.System, cfg.Files)
	if err != nil {
		return nil, fmt.Errorf("write the board's files: %w", err)
	}
	defer initramfs.Close()
	return boot(ctx, cfg, k, initramfs)
}

// boot starts QEMU, with other ports when another process took one of ours meanwhile.
func boot(ctx context.Context, cfg Config, k kernel, initramfs *os.File) (*Board, error) {
	const tries = 3
	for try := 1; ; try++ {
		ports, err := freePorts(append([]int{control.Port}, cfg.Forward...))
		if err != nil {
			return nil, err
		}
		b := &Board{ports: ports, console: newConsole(cfg.Console)}
		b.process, err = startQEMU(qemuArgs(k, cfg.Memory, ports), initramfs, b.console)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", emulator, err)
		}
		err = b.await(ctx)
		if err == nil {
			return b, nil
		}
		b.process.kill()
		if try == tries || !portTaken(b.Console()) {
			return nil, fmt.Errorf("boot the board: %w; its console:\n%s", err, b.Console())
		}
	}
}

// await returns when init listens and has the time.
func (b *Board) await(ctx context.Context) error {
	select {
	case <-b.console.ready:
		return b.setTime(ctx)
	case <-b.process.ended:
		return fmt.Errorf("it ended: %v", b.process.err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Addr returns where a forwarded port of the board is reached from here.
func (b *Board) Addr(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.ports[port]))
}

// Console returns what has come from the serial port.
func (b *Board) Console() string { return b.console.String() }

// PID returns the process that is the board.
func (b *Board) PID() int { return b.process.cmd.Process.Pid }

// Done is closed when the board is off.
func (b *Board) Done() <-chan struct{} { return b.process.ended }

// stopGrace is how long a board may take to switch itself off.
const stopGrace = 5 * time.Second

// Stop switches the board off, and ends it where it does not comply. A second call does
// nothing.
func (b *Board) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if c, err := b.dial(ctx, control.Request{PowerOff: true}); err == nil {
		select {
		case <-b.process.ended:
		case <-ctx.Done():
		}
		c.Close()
	}
	b.Kill()
}

// Kill ends the board as if its power had failed.
func (b *Board) Kill() { b.process.kill() }

// Freeze stops the board's time until Thaw.
func (b *Board) Freeze() error { return b.process.signal(syscall.SIGSTOP) }

// Thaw lets a frozen board go on.
func (b *Board) Thaw() error { return b.process.signal(syscall.SIGCONT) }

// setTime gives the board our clock; its own has whole seconds only.
func (b *Board) setTime(ctx context.Context) error {
	c, err := b.dial(ctx, control.Request{Time: time.Now().UnixNano()})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := readStatus(c); err != nil {
		return fmt.Errorf("set the board's clock: %w", err)
	}
	return nil
}

// readStatus reads the answer to a request that has no output.
func readStatus(r io.Reader) error {
	kind, payload, err := control.ReadFrame(r)
	switch {
	case err != nil:
		return err
	case kind == control.Failed:
		return errors.New(string(payload))
	case kind != control.Status:
		return fmt.Errorf("unexpected frame of kind %d", kind)
	}
	return nil
}

// dial sends a request to init. The caller closes the connection.
func (b *Board) dial(ctx context.Context, req control.Request) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", b.Addr(control.Port))
	if err != nil {
		return nil, fmt.Errorf("reach the board: %w", err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		c.SetDeadline(deadline)
	}
	if err := control.WriteRequest(c, req); err != nil {
		c.Close()
		return nil, fmt.Errorf("ask the board: %w", err)
	}
	return c, nil
}
