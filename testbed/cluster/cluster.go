// Package cluster starts real daemons, as processes here and on emulated boards, and talks
// to them as an operator does: with the real migratectl. Nothing that it started outlives
// the process that did.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/testbed/child"
)

// A Cluster is some nodes on one network.
type Cluster struct {
	bin string // build/bin
	dir string // state directories, sockets; removed by Close

	// lease is the end by which this process holds the VMs of its daemons: they end when it is
	// closed, by Close or by this process's end. leased is the daemons' end.
	lease, leased *os.File

	loggingIn sync.Mutex

	mu     sync.Mutex
	nodes  []*Node
	boards []*Board
	pairs  map[pair]bool // who is enrolled with whom
	closed bool
}

// binaries are what a cluster is made of, below build/bin.
var binaries = []string{"migrated", "migratectl", "arm64/migrated", "arm64/migratectl"}

// once has this process end with the one that started it, and what it has started with it.
var once sync.Once

// New prepares a cluster without nodes.
func New() (*Cluster, error) {
	root, err := board.Root()
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(root, "build/bin")
	if err := checkBinaries(bin); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "migrated-")
	if err != nil {
		return nil, fmt.Errorf("make a cluster's directory: %w", err)
	}
	once.Do(func() { child.WithParent(func() { os.Exit(1) }) })
	leased, lease, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a cluster's lease: %w", err)
	}
	return &Cluster{bin: bin, dir: dir, lease: lease, leased: leased, pairs: make(map[pair]bool)}, nil
}

func checkBinaries(bin string) error {
	for _, name := range binaries {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			return fmt.Errorf("find what a cluster is made of: %w; `make build` makes it", err)
		}
	}
	return nil
}

// Close stops all nodes and boards and removes what they wrote. A second call does nothing.
func (c *Cluster) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	nodes, boards := c.nodes, c.boards
	c.nodes, c.boards = nil, nil
	c.mu.Unlock()
	var all sync.WaitGroup
	for _, n := range nodes {
		if n.board == nil {
			all.Go(n.Stop)
		}
	}
	for _, b := range boards {
		all.Go(b.Stop) // and with it what runs on it
	}
	all.Wait()
	c.lease.Close()
	c.leased.Close()
	os.RemoveAll(c.dir)
}

// errClosed is what those get who still start things when all is being stopped.
var errClosed = errors.New("the cluster is closed")

// keep has Close stop a node. A node that was started again replaces itself.
func (c *Cluster) keep(n *Node) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.nodes = append(c.nodes, n)
	return nil
}

// keepBoard has Close stop a board.
func (c *Cluster) keepBoard(b *Board) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.boards = append(c.boards, b)
	return nil
}

// Boot boots an emulated board that has the daemon's binary, and starts none yet. memory is
// the board's, in bytes; 0 for 512 MiB.
func (c *Cluster) Boot(ctx context.Context, memory uint64) (*Board, error) {
	b, err := board.Start(ctx, board.Config{
		Memory: memory,
		Files: map[string]string{
			daemonOnBoard: filepath.Join(c.bin, "arm64/migrated"),
			ctlOnBoard:    filepath.Join(c.bin, "arm64/migratectl"),
		},
		Forward: []int{boardPort},
	})
	if err != nil {
		return nil, err
	}
	ours := &Board{Board: b, cluster: c}
	if err := c.keepBoard(ours); err != nil {
		b.Stop()
		return nil, err
	}
	return ours, nil
}

// Dir is a directory for what belongs to the cluster; Close removes it.
func (c *Cluster) Dir() string { return c.dir }
