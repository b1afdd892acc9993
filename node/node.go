// Package node is what the daemon does: it runs VMs, moves them between nodes, and keeps
// their logs, their images and its peers.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/migrated/migrated/node/events"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/node/images"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/metrics"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/store"
	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Config of a node.
type Config struct {
	Name     string       // as other nodes know it
	StateDir string       // where it keeps everything
	Trust    *trust.Store // who may do what; closed by who opened it
	Listen   string       // TCP address for others; empty: none
	Host     *host.Host
	VMs      VMs
	Settings
	Link    link.Config // its durations only
	Log     *slog.Logger
	Version string
	// Reload has the daemon read its configuration again, and Apply what it may. Nil: there
	// is none.
	Reload func() (*pb.ReloadResponse, error)

	step      func(*pb.MoveEvent) // tests: called at each step of a move from here, which waits
	releasing func()              // tests: called before a node is told that a stay's log is not needed any more
}

// VMs starts the processes of VMs, and finds those that an earlier daemon left.
// *vmproc.Launcher is one.
type VMs interface {
	Make(ctx context.Context, spec *vmproc.Spec, hooks vmproc.Hooks) (vmproc.VM, error)
	TakeOver(ctx context.Context, id string, generation uint32, hooks vmproc.Hooks) (vmproc.VM, error)
	Left() ([]vmproc.Left, error)
	Close() error
}

// A Node is one daemon's state.
type Node struct {
	cfg    Config
	log    *slog.Logger
	live   atomic.Pointer[Settings] // those in force
	events *events.Journal
	counts *metrics.Metrics
	store  *store.Store
	images *images.Store
	hub    *link.Hub
	budget *budget
	kept   *keeper
	ctx    context.Context // ends when the node shuts down
	cancel context.CancelFunc
	tasks  tasks
	dirty  *dirtySet
	fetch  sync.Mutex // held while an image is fetched

	mu      sync.Mutex
	vms     map[string]*VM                // by id
	targets map[link.Token]*move.Target   // moves to here that are under way
	sources map[link.Token]*sourceVerdict // moves from here that are under way
	served  map[link.Token]*served        // what left by post-copy, and is still needed here
	names   map[string]string             // names reserved for a VM that is being made: its id
	rates   map[string]float64            // bytes of memory a second that went to a peer in the last move
}

// idPattern is a VM's id, which names its log's directory.
var idPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// CheckName says whether a node or a VM may be called that.
func CheckName(name string) error { return trust.CheckName(name) }

// New opens a node's state and begins to dial its peers.
func New(cfg Config) (*Node, error) {
	if err := CheckName(cfg.Name); err != nil {
		return nil, err
	}
	settings := cfg.Settings.withDefaults()
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	journal, err := store.Open(filepath.Join(cfg.StateDir, "journal.db"))
	if err != nil {
		return nil, err
	}
	imgs, err := images.Open(filepath.Join(cfg.StateDir, "images"))
	if err != nil {
		journal.Close()
		return nil, err
	}
	history, err := events.Open(filepath.Join(cfg.StateDir, "events"), func(err error) {
		cfg.Log.Error("events will be forgotten", "err", err)
	})
	if err != nil {
		journal.Close()
		return nil, err
	}
	n := &Node{
		cfg:     cfg,
		events:  history,
		log:     cfg.Log,
		store:   journal,
		images:  imgs,
		budget:  &budget{host: cfg.Host, limit: settings.MemoryLimit},
		kept:    &keeper{limit: settings.KeepMemory, out: make(map[string]*outVM)},
		vms:     make(map[string]*VM),
		targets: make(map[link.Token]*move.Target),
		sources: make(map[link.Token]*sourceVerdict),
		served:  make(map[link.Token]*served),
		names:   make(map[string]string),
		rates:   make(map[string]float64),
		dirty:   newDirtySet(),
	}
	n.budget.spare = n.kept.dropOldest
	n.live.Store(&settings)
	n.counts = metrics.New(cfg.Name, cfg.Version, cfg.Host.ISA.Name, n.state)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	links := cfg.Link
	links.Trust, links.Listen, links.Peers, links.Log = cfg.Trust, cfg.Listen, settings.Peers, cfg.Log
	links.Self, links.Notify = n.greeting, n.peerChanged
	links.Enrolled = func(p trust.Peer, address string) { n.enrolled(p, address, "") }
	n.hub = link.NewHub(links)
	n.spawn(n.writeRecords)
	if err := n.recover(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// tasks are the goroutines that must end before the store is closed.
type tasks struct {
	mu   sync.Mutex
	wg   sync.WaitGroup
	over bool
}

// spawn runs f in the background, unless the node has shut down.
func (n *Node) spawn(f func()) {
	n.tasks.mu.Lock()
	defer n.tasks.mu.Unlock()
	if !n.tasks.over {
		n.tasks.wg.Go(f)
	}
}

// wait lets no more tasks begin, and waits for those that have.
func (t *tasks) wait() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.wg.Wait()
}

// Hub is the node's connections; its listeners are for the daemon to serve.
func (n *Node) Hub() *link.Hub { return n.hub }

// Close ends everything but the VMs here: they go on, and the next daemon takes them over.
func (n *Node) Close() error {
	n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_NODE_STOPPED})
	n.cancel()
	n.hub.Close()
	n.mu.Lock()
	all := make([]*VM, 0, len(n.vms))
	for _, vm := range n.vms {
		all = append(all, vm)
	}
	n.mu.Unlock()
	n.tasks.wait()
	for _, vm := range all {
		if guest := vm.here(); guest != nil {
			guest.Leave()
		}
	}
	n.leaveServed()
	n.kept.close()
	n.flush()
	errs := []error{n.cfg.VMs.Close()}
	for _, vm := range all {
		errs = append(errs, vm.log.Close())
	}
	return errors.Join(append(errs, n.events.Close(), n.store.Close())...)
}

// StopVMs ends the VMs here, by force after the grace period.
func (n *Node) StopVMs(grace time.Duration) {
	n.mu.Lock()
	all := make([]*VM, 0, len(n.vms))
	for _, vm := range n.vms {
		all = append(all, vm)
	}
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, vm := range all {
		if vm.here() == nil {
			continue
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(n.ctx, 2*grace+n.live.Load().Timeouts.Stall)
			defer cancel()
			err := vm.stop(ctx, grace)
			if err == nil {
				_, err = vm.await(ctx, func(rec *pb.VM) bool { return over(rec.State) || rec.Node != n.cfg.Name })
			}
			if err != nil {
				n.log.Error("stop VM", "vm", vm.id, "err", err)
			}
		})
	}
	wg.Wait()
}

// greeting is what this node says of itself when a link is made.
func (n *Node) greeting() *pb.NodeInfo {
	return &pb.NodeInfo{
		Name:    n.cfg.Name,
		Id:      n.store.NodeID(),
		Isa:     n.cfg.Host.ISA.Name,
		Levels:  n.cfg.Host.Levels,
		Abi:     abiVersion,
		Version: n.cfg.Version,
	}
}
