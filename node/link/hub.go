package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Errors for a node that cannot be reached.
var (
	ErrUnknownPeer  = errors.New("unknown node")
	ErrNotConnected = errors.New("not connected")
)

// Config of a hub. Zero durations get defaults.
type Config struct {
	Self   func() *pb.NodeInfo // what this node says of itself in a greeting
	Trust  *trust.Store        // who the others are, and who this node is
	Listen string              // TCP address; empty: none
	Peers  []Peer              // those to dial, beside those whose enrolment gave an address; SetPeers changes them
	Log    *slog.Logger
	// Enrolled is called when the holder of a token has used it, and from where.
	Enrolled func(p trust.Peer, address string)
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

// A Hub holds the links of this node: it dials its peers again and again, takes the links
// that others open, and finds a peer's link by the peer's name.
type Hub struct {
	cfg       Config
	log       *slog.Logger
	trust     *trust.Store
	control   *queue
	operators *queue
	data      expected
	door      door
	gate      gate
	stop      context.CancelFunc
	ctx       context.Context

	mu      sync.Mutex
	peers   []Peer                 // that are configured
	links   map[string][]*Link     // by name, the newest last
	calls   map[*operatorConn]bool // of operators elsewhere
	dialled map[string]*dialler    // by name of who is dialled
	changed chan struct{}          // closed and replaced when links or errors change
	wg      sync.WaitGroup
}

// NewHub begins to dial the peers, and to listen once somebody could have business here.
func NewHub(cfg Config) *Hub {
	setDefault(&cfg.Timeout, 15*time.Second)
	setDefault(&cfg.KeepAlive, 5*time.Second)
	setDefault(&cfg.Backoff, 200*time.Millisecond)
	setDefault(&cfg.MaxBackoff, 3*time.Second)
	h := &Hub{
		cfg:       cfg,
		peers:     cfg.Peers,
		log:       cfg.Log,
		trust:     cfg.Trust,
		control:   newQueue(queueAddr("links")),
		operators: newQueue(queueAddr("operators")),
		data:      expected{moves: make(map[Token]*Expected), asked: make(map[dataName]*asked)},
		links:     make(map[string][]*Link),
		calls:     make(map[*operatorConn]bool),
		dialled:   make(map[string]*dialler),
		changed:   make(chan struct{}),
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if cfg.Enrolled == nil {
		h.cfg.Enrolled = func(trust.Peer, string) {}
	}
	if cfg.Notify == nil {
		h.cfg.Notify = func(string, string, bool) {}
	}
	change := h.trust.Changed()
	h.followTrust()
	h.wg.Go(func() { h.watchTrust(change) })
	return h
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Timeout is how long the other side may take to say what it wants.
func (h *Hub) Timeout() time.Duration { return h.cfg.Timeout }

// Control yields the streams on which peers speak gRPC to this node.
func (h *Hub) Control() net.Listener { return h.control }

// Operators yields the connections of operators elsewhere; their remote address is an
// OperatorAddr.
func (h *Hub) Operators() net.Listener { return h.operators }

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
	if d := h.dialled[name]; d != nil {
		err := d.err
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
	for name, d := range h.dialled {
		byName[name] = Status{Name: name, Address: d.addresses[0]}
	}
	for name := range h.links {
		s := byName[name]
		s.Name = name
		byName[name] = s
	}
	var all []Status
	for s := range maps.Values(byName) {
		s.Link, s.Err = h.linkLocked(s.Name)
		if s.Link != nil && s.Address == "" {
			s.Address = s.Link.address
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// add makes a link known, until it ends.
func (h *Hub) add(l *Link) error {
	h.mu.Lock()
	if h.ctx.Err() != nil {
		h.mu.Unlock()
		return net.ErrClosed
	}
	err := h.acceptable(l.peer)
	if err == nil { // it may have been revoked meanwhile
		err = h.trust.Check(l.key, trust.Node)
	}
	if err != nil {
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
	h.wg.Go(l.keepCertified)
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

// maxLinks bounds those between two nodes. Two are usual while either replaces a dead one.
const maxLinks = 8

// acceptable says whether a node of that name and identity may be linked to.
func (h *Hub) acceptable(peer *pb.NodeInfo) error {
	if err := h.checkProtocol(peer); err != nil {
		return err
	}
	if self := h.cfg.Self(); peer.Name == self.Name {
		return fmt.Errorf("both nodes are called %q: give each a name of its own", peer.Name)
	}
	if len(h.links[peer.Name]) >= maxLinks {
		return fmt.Errorf("%s has %d links already", peer.Name, maxLinks)
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
	h.gate.close()
	h.mu.Lock()
	for _, all := range h.links {
		for _, l := range all {
			l.Close()
		}
	}
	for c := range h.calls {
		c.Conn.Close()
	}
	h.mu.Unlock()
	h.control.Close()
	h.operators.Close()
	h.wg.Wait()
}
