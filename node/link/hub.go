package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Errors for a node that cannot be reached.
var (
	ErrUnknownPeer  = errors.New("unknown node")
	ErrNotConnected = errors.New("not connected")
)

// Config of a hub. Zero durations get defaults.
type Config struct {
	Self  func() *pb.NodeInfo // what this node says of itself in a greeting
	Peers []Peer              // those to dial; SetPeers changes them
	Log   *slog.Logger
	// Notify is called when the first link to a node is up and when the last is down, in
	// their order. It must not call the hub. Nil: nobody wants to know.
	Notify     func(name, address string, up bool)
	Timeout    time.Duration // for a dial, a greeting, a write that makes no progress
	KeepAlive  time.Duration // between probes of an idle link
	Backoff    time.Duration // before the second attempt to dial; grows up to MaxBackoff
	MaxBackoff time.Duration
}

// A Peer is a node that this one dials.
type Peer struct {
	Name    string
	Address string // host:port
}

// A Hub holds the links of this node: it dials the configured peers again and again, takes
// the links that others open, and finds a peer's link by the peer's name.
type Hub struct {
	cfg     Config
	log     *slog.Logger
	control *queue
	plain   *queue
	data    expected
	stop    context.CancelFunc
	ctx     context.Context
	greeted chan struct{} // bounds connections whose greeting is under way

	mu      sync.Mutex
	links   map[string][]*Link  // by name, the newest last
	dialled map[string]*dialler // the configured peers by name
	errs    map[string]error    // why one of them could not be dialled
	changed chan struct{}       // closed and replaced when links or errs change
	listen  []net.Listener
	wg      sync.WaitGroup
}

// maxGreetings is how many connections may be in their greeting at a time.
const maxGreetings = 64

// NewHub begins to dial the configured peers.
func NewHub(cfg Config) *Hub {
	setDefault(&cfg.Timeout, 15*time.Second)
	setDefault(&cfg.KeepAlive, 5*time.Second)
	setDefault(&cfg.Backoff, 200*time.Millisecond)
	setDefault(&cfg.MaxBackoff, 3*time.Second)
	h := &Hub{
		cfg:     cfg,
		log:     cfg.Log,
		control: newQueue(queueAddr("links")),
		plain:   newQueue(queueAddr("tcp")),
		data:    expected{moves: make(map[Token]*Expected)},
		greeted: make(chan struct{}, maxGreetings),
		links:   make(map[string][]*Link),
		dialled: make(map[string]*dialler),
		errs:    make(map[string]error),
		changed: make(chan struct{}),
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if cfg.Notify == nil {
		h.cfg.Notify = func(string, string, bool) {}
	}
	h.SetPeers(cfg.Peers)
	return h
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Control yields the streams on which peers speak gRPC to this node.
func (h *Hub) Control() net.Listener { return h.control }

// Plain yields connections that are gRPC's own: health checks, reflection.
func (h *Hub) Plain() net.Listener { return h.plain }

// Link returns the live link to a node, the newest if there are several.
func (h *Hub) Link(name string) (*Link, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.linkLocked(name)
}

func (h *Hub) linkLocked(name string) (*Link, error) {
	if all := h.links[name]; len(all) > 0 {
		return all[len(all)-1], nil
	}
	if err, ok := h.errs[name]; ok {
		if err == nil {
			err = errors.New("the link was lost")
		}
		return nil, fmt.Errorf("%s: %w: %w", name, ErrNotConnected, err)
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownPeer, name)
}

// Wait returns the link to a node once there is one.
func (h *Hub) Wait(ctx context.Context, name string) (*Link, error) {
	for {
		h.mu.Lock()
		l, err := h.linkLocked(name)
		changed := h.changed
		h.mu.Unlock()
		if err == nil {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// A Status tells how things stand with one peer.
type Status struct {
	Name    string
	Address string
	Link    *Link // nil while there is none
	Err     error // then: why
}

// Status lists all peers that are configured or connected, by name.
func (h *Hub) Status() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	byName := make(map[string]Status)
	for _, d := range h.dialled {
		byName[d.Name] = Status{Name: d.Name, Address: d.Address}
	}
	for name := range h.links {
		s := byName[name]
		s.Name = name
		byName[name] = s
	}
	var all []Status
	for _, s := range byName {
		s.Link, s.Err = h.linkLocked(s.Name)
		if s.Link != nil && s.Address == "" {
			s.Address = s.Link.address
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return compare(a.Name, b.Name) })
	return all
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// add makes a link known, until it ends.
func (h *Hub) add(l *Link) error {
	h.mu.Lock()
	if h.ctx.Err() != nil {
		h.mu.Unlock()
		return net.ErrClosed
	}
	if err := h.acceptable(l.peer); err != nil {
		h.mu.Unlock()
		return err
	}
	h.links[l.Name()] = append(h.links[l.Name()], l)
	if len(h.links[l.Name()]) == 1 {
		h.cfg.Notify(l.Name(), l.address, true)
	}
	h.notify()
	h.wg.Go(l.serve) // with h.mu held, so that Close waits for it
	h.wg.Go(func() { h.watch(l) })
	h.mu.Unlock()
	h.log.Debug("link opened", "peer", l.Name(), "address", l.address, "dialled", l.dialled)
	return nil
}

// watch forgets a link when it ends.
func (h *Hub) watch(l *Link) {
	<-l.Done()
	l.Close()
	h.mu.Lock()
	rest := slices.DeleteFunc(h.links[l.Name()], func(o *Link) bool { return o == l })
	if h.links[l.Name()] = rest; len(rest) == 0 {
		delete(h.links, l.Name())
		h.cfg.Notify(l.Name(), l.address, false)
	}
	h.notify()
	h.mu.Unlock()
	h.log.Debug("link closed", "peer", l.Name(), "address", l.address)
}

// acceptable says whether a node of that name and identity may be linked to.
func (h *Hub) acceptable(peer *pb.NodeInfo) error {
	if self := h.cfg.Self(); peer.Name == self.Name {
		return fmt.Errorf("both nodes are called %q: give each a name of its own", peer.Name)
	}
	for _, other := range h.links[peer.Name] {
		if other.peer.Id != peer.Id {
			return fmt.Errorf("another node is called %q too: give each a name of its own", peer.Name)
		}
	}
	return nil
}

// notify wakes those who wait for a change; h.mu is held.
func (h *Hub) notify() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Close ends all links and listeners.
func (h *Hub) Close() {
	h.stop()
	h.mu.Lock()
	for _, ln := range h.listen {
		ln.Close()
	}
	for _, all := range h.links {
		for _, l := range all {
			l.Close()
		}
	}
	h.mu.Unlock()
	h.control.Close()
	h.plain.Close()
	h.wg.Wait()
}
