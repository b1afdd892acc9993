package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/migrated/migrated/testbed/child"
)

// A NodeConfig describes a node. Only Name is needed.
type NodeConfig struct {
	Name   string
	Peers  []Peer   // nodes that it dials
	Config string   // more of its configuration, TOML
	Flags  []string // more flags of migrated
}

// A Peer is another node, and where it is dialled from this machine.
type Peer struct {
	Name    string
	Address string // HOST:PORT
}

// A Node is a running daemon.
type Node struct {
	Name    string
	Address string   // where other nodes here dial it, HOST:PORT
	Socket  string   // where migratectl reaches it, as its --socket takes it
	Args    []string // the command that it is

	board   *Board // nil: it runs here
	bin     string
	log     *Output
	process process
}

// A process is a daemon, here or on a board.
type process interface {
	Signal(syscall.Signal) error
	Done() <-chan struct{}
	Kill()
}

// stopGrace is how long a daemon may take to shut down.
const stopGrace = 10 * time.Second

// listenRecord finds in a daemon's log where it listens.
var listenRecord = regexp.MustCompile(`msg=ready .*listen=(\S+)`)

// Start starts a daemon here and returns when it is ready. One of the same name that was
// stopped goes on with the state that the earlier one left.
func (c *Cluster) Start(ctx context.Context, cfg NodeConfig) (*Node, error) {
	dir := filepath.Join(c.dir, cfg.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	n := &Node{Name: cfg.Name, bin: c.bin, Socket: filepath.Join(dir, "socket"), log: NewOutput(nil)}
	n.Args = []string{filepath.Join(c.bin, "migrated"), "--name", cfg.Name,
		"--state", filepath.Join(dir, "state"), "--socket", n.Socket, "--listen", "127.0.0.1:0"}
	if cfg.Config != "" {
		file := filepath.Join(dir, "migrated.toml")
		if err := os.WriteFile(file, []byte(cfg.Config), 0o644); err != nil {
			return nil, err
		}
		n.Args = append(n.Args, "--config", file)
	}
	for _, p := range cfg.Peers {
		n.Args = append(n.Args, "--peer", p.Name+"="+p.Address)
	}
	n.Args = append(n.Args, cfg.Flags...)
	cmd := exec.Command(n.Args[0], append(n.Args[1:], "--lease", "3")...)
	cmd.ExtraFiles = []*os.File{c.leased}
	cmd.Stdout, cmd.Stderr = n.log, n.log
	p, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start the daemon of %s: %w", cfg.Name, err)
	}
	n.process = p
	address, err := n.awaitReady(ctx)
	if err == nil {
		err = c.keep(n)
	}
	if err != nil {
		p.Kill()
		return nil, err
	}
	n.Address = address
	return n, nil
}

// awaitReady returns where the daemon says that it listens.
func (n *Node) awaitReady(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-n.process.Done():
			cancel(errors.New("it ended"))
		case <-ctx.Done():
		}
	}()
	match, err := n.log.AwaitMatch(ctx, listenRecord)
	if err != nil {
		return "", fmt.Errorf("start the daemon of %s: %w", n.Name, err)
	}
	return match[1], nil
}

// Log returns what the daemon has logged.
func (n *Node) Log() string { return n.log.String() }

// Peer is this node for others here to dial.
func (n *Node) Peer() Peer { return Peer{n.Name, n.Address} }

// Stop asks the daemon to shut down, and ends it where it does not.
func (n *Node) Stop() {
	_ = n.process.Signal(syscall.SIGCONT) // in case it is frozen
	_ = n.process.Signal(syscall.SIGTERM)
	select {
	case <-n.process.Done():
	case <-time.After(stopGrace):
		n.process.Kill()
	}
}

// Kill ends the daemon as a crash would.
func (n *Node) Kill() { n.process.Kill() }

// Freeze stops the daemon's time until Thaw.
func (n *Node) Freeze() error { return n.process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen daemon go on.
func (n *Node) Thaw() error { return n.process.Signal(syscall.SIGCONT) }
