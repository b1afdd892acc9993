package cluster

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"github.com/migrated/migrated/testbed/board"
)

const (
	daemonOnBoard = "/bin/migrated"
	ctlOnBoard    = "/bin/migratectl"
	boardPort     = 7370 // where a board's daemon listens
)

// A Board is an emulated machine that has the binaries.
type Board struct {
	*board.Board
	cluster *Cluster
}

// Start starts a daemon on the board and returns when it is ready. It dials cfg.Peers, and
// can be dialled by nodes here: a move must not care which. migratectl reaches it by TCP.
func (b *Board) Start(ctx context.Context, cfg NodeConfig) (*Node, error) {
	if cfg.Config != "" {
		return nil, fmt.Errorf("start %s: a daemon on a board is configured by flags alone", cfg.Name)
	}
	n := &Node{Name: cfg.Name, cluster: b.cluster, Address: b.Addr(boardPort), board: b, log: NewOutput(nil)}
	state := "/var/lib/" + cfg.Name
	var seen []Peer // as the board sees them
	for _, p := range cfg.Peers {
		_, port, err := net.SplitHostPort(p.Address)
		if err != nil {
			return nil, fmt.Errorf("peer %s: %w", p.Name, err)
		}
		seen = append(seen, Peer{p.Name, net.JoinHostPort(board.HostAddr, port)})
	}
	n.Args = []string{daemonOnBoard, "--name", cfg.Name, "--state", state}
	if err := n.joinPeers(ctx, seen, func(token []byte, argv []string) error {
		_, err := b.Output(ctx, token, argv...)
		return err
	}, daemonOnBoard, "join", "--state", state); err != nil {
		return nil, err
	}
	n.Args = append(n.Args, cfg.Flags...)
	// Not the caller's context: the daemon lives on when starting it is over.
	p, err := b.Command(context.Background(), n.log, n.log, n.Args...)
	if err != nil {
		return nil, fmt.Errorf("start the daemon of %s: %w", cfg.Name, err)
	}
	n.process = newRemote(p)
	if _, err = n.awaitLog(ctx, readyRecord); err == nil {
		err = b.cluster.login(ctx, n, "--address", n.Address)
	}
	if err == nil {
		err = b.cluster.keep(n)
	}
	if err != nil {
		n.process.Kill()
		return nil, err
	}
	return n, nil
}

// A remote is a process on a board.
type remote struct {
	p    *board.Process
	done chan struct{}
}

func newRemote(p *board.Process) *remote {
	r := &remote{p, make(chan struct{})}
	go func() {
		defer close(r.done)
		_, _ = p.Wait()
	}()
	return r
}

func (r *remote) Signal(s syscall.Signal) error { return r.p.Signal(s) }
func (r *remote) Done() <-chan struct{}         { return r.done }

// Kill waits until the board has said that the process is gone, or is gone itself.
func (r *remote) Kill() {
	if r.p.Signal(syscall.SIGKILL) != nil {
		r.p.Kill()
	}
	<-r.done
}
