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
	"github.com/migrated/migrated/testbed/netns"
)

// A NodeConfig describes a node. Only Name is needed.
type NodeConfig struct {
	Name   string
	Peers  []Peer   // nodes that it dials; it is enrolled with them
	Config string   // more of its configuration, TOML
	Flags  []string // more flags of migrated

	Network *netns.Namespace // where it is; nil: this machine's, and it listens on loopback
}

// A Peer is another node, and where it is dialled from this machine.
type Peer struct {
	Name    string
	Address string // HOST:PORT
}

// A Node is a running daemon.
type Node struct {
	Name       string
	Address    string      // where other nodes here dial it, HOST:PORT
	Socket     string      // where migratectl reaches it, if it runs here
	Args       []string    // the command that it is
	Enrolments []Enrolment // that were made before it was started

	cluster *Cluster
	board   *Board // nil: it runs here
	network *netns.Namespace
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

// What a daemon logs when it is ready, and when it listens, which it does once somebody is to
// be enrolled.
var (
	readyRecord  = regexp.MustCompile(`msg=ready `)
	listenRecord = regexp.MustCompile(`msg="listens for other nodes" listen=(\S+)`)
)

// Start starts a daemon here and returns when it is ready. One of the same name that was
// stopped goes on with the state that the earlier one left.
func (c *Cluster) Start(ctx context.Context, cfg NodeConfig) (*Node, error) {
	dir := filepath.Join(c.dir, cfg.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	n := &Node{Name: cfg.Name, cluster: c, network: cfg.Network, Socket: filepath.Join(dir, "socket"), log: NewOutput(nil)}
	state := filepath.Join(dir, "state")
	daemon := filepath.Join(c.bin, "migrated")
	n.Args = []string{daemon, "--name", cfg.Name, "--state", state, "--socket", n.Socket, "--listen", n.listenAddress()}
	if err := n.joinPeers(ctx, cfg.Peers, func(token []byte, argv []string) error {
		return c.run(ctx, n.enter(), token, argv...)
	}, daemon, "join", "--state", state); err != nil {
		return nil, err
	}
	if cfg.Config != "" {
		file := filepath.Join(dir, "migrated.toml")
		if err := os.WriteFile(file, []byte(cfg.Config), 0o644); err != nil {
			return nil, err
		}
		n.Args = append(n.Args, "--config", file)
	}
	n.Args = append(n.Args, cfg.Flags...)
	cmd := exec.Command(n.Args[0], append(n.Args[1:], "--lease", "3")...)
	cmd.ExtraFiles = []*os.File{c.leased}
	cmd.Stdout, cmd.Stderr = n.log, n.log
	p, err := child.StartIn(cmd, n.enter())
	if err != nil {
		return nil, fmt.Errorf("start the daemon of %s: %w", cfg.Name, err)
	}
	n.process = p
	if err := n.settle(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return n, nil
}

// listenAddress is a free port of the node's network.
func (n *Node) listenAddress() string {
	if n.network == nil {
		return "127.0.0.1:0"
	}
	return n.network.Address + ":0"
}

// enter is for child.StartIn.
func (n *Node) enter() func() error {
	if n.network == nil {
		return nil
	}
	return n.network.Enter
}

// settle waits until a daemon of this machine is ready and listens, and keeps it.
func (n *Node) settle(ctx context.Context) error {
	if _, err := n.awaitLog(ctx, readyRecord); err != nil {
		return err
	}
	if err := n.cluster.login(ctx, n); err != nil {
		return err
	}
	match, err := n.awaitLog(ctx, listenRecord)
	if err != nil {
		return err
	}
	n.Address = match[1]
	return n.cluster.keep(n)
}

// awaitLog waits until the daemon has logged something.
func (n *Node) awaitLog(ctx context.Context, what *regexp.Regexp) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-n.process.Done():
			cancel(errors.New("it ended"))
		case <-ctx.Done():
		}
	}()
	match, err := n.log.AwaitMatch(ctx, what)
	if err != nil {
		return nil, fmt.Errorf("start the daemon of %s: %w", n.Name, err)
	}
	return match, nil
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

// Freeze stops the daemon's time until Thaw. It has stopped when this returns.
func (n *Node) Freeze() error {
	if err := n.process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if p, ok := n.process.(*child.Process); ok {
		return p.AwaitStop()
	}
	return nil
}

// Thaw lets a frozen daemon go on.
func (n *Node) Thaw() error { return n.process.Signal(syscall.SIGCONT) }

// Running says whether the daemon has not ended.
func (n *Node) Running() bool {
	select {
	case <-n.process.Done():
		return false
	default:
		return true
	}
}
