package node

import (
	"errors"
	"fmt"
	"sync"

	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/node/units"
)

// headroom is what a machine keeps for itself, bytes: the daemon's own, and what a transfer
// may hold beyond the guest's memory.
const headroom = 32 << 20

// A budget says how much memory VMs may have. Memory that a VM has touched is no longer
// free; what it was promised and has not touched must not be promised twice.
type budget struct {
	host  *host.Host
	limit uint64 // of all VMs together; 0: none
	// spare gives up some memory that nobody needs, and says whether there was any; may be nil.
	spare func() bool

	mu       sync.Mutex
	granted  uint64          // to all VMs here
	untapped uint64          // of that, to those that are only being made or received
	guests   map[*grant]bool // those of VMs that came from peers
}

// A grant is one VM's part of the budget.
type grant struct {
	b    *budget
	peer string // that the VM came from; empty: it was started here
	size uint64
	full bool // its memory counts as touched
}

// reserve grants memory to a VM of this node, or says what is lacking.
func (b *budget) reserve(size uint64) (*grant, error) {
	return b.reserveFor("", size, Limits{})
}

// reserveFor grants memory to a VM that a peer wants to move here.
func (b *budget) reserveFor(peer string, size uint64, l Limits) (*grant, error) {
	for {
		g, err := b.tryReserve(peer, size, l)
		if none := (*noneFree)(nil); !errors.As(err, &none) || b.spare == nil || !b.spare() {
			return g, err
		}
	}
}

// A noneFree says that the machine has not that much memory left.
type noneFree struct{ wanted, free uint64 } // bytes

func (e *noneFree) Error() string {
	return fmt.Sprintf("%s of memory are wanted, and %s are free", short(e.wanted), short(e.free))
}

func (b *budget) tryReserve(peer string, size uint64, l Limits) (*grant, error) {
	m, err := b.host.Memory()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if peer != "" {
		if err := b.within(l, peer, size); err != nil {
			return nil, err
		}
	}
	if b.limit > 0 && size > b.limit-min(b.limit, b.granted) {
		return nil, fmt.Errorf("%s of memory are wanted, and of the %s that VMs may have here %s are taken",
			short(size), short(b.limit), short(b.granted))
	}
	if free := b.freeLocked(m); size > free {
		return nil, &noneFree{size, free}
	}
	b.granted += size
	b.untapped += size
	return b.keep(&grant{b: b, peer: peer, size: size}), nil
}

// claim grants memory to a VM that has it already, and the peer that it came from, if any.
func (b *budget) claim(peer string, size uint64) *grant {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.granted += size
	return b.keep(&grant{b: b, peer: peer, size: size, full: true})
}

func (b *budget) keep(g *grant) *grant {
	if b.guests == nil {
		b.guests = make(map[*grant]bool)
	}
	if g.peer != "" {
		b.guests[g] = true
	}
	return g
}

// within says whether another VM of a peer is within the limits. b.mu is held.
func (b *budget) within(l Limits, peer string, size uint64) error {
	coming, held := 0, uint64(0)
	for g := range b.guests {
		if !g.full {
			coming++
		}
		if g.peer == peer {
			held += g.size
		}
	}
	if coming >= l.Moves {
		return fmt.Errorf("%d moves to here are under way, and no more are taken at a time (moves, in [limits])", coming)
	}
	if l.PeerMemory > 0 && size > l.PeerMemory-min(l.PeerMemory, held) {
		return fmt.Errorf("%s of memory are wanted, and of the %s that VMs of %s may have here %s are taken (peer_memory, in [limits])",
			short(size), short(l.PeerMemory), peer, short(held))
	}
	return nil
}

// free is what a new VM could have.
func (b *budget) free() (total, free uint64, err error) {
	m, err := b.host.Memory()
	if err != nil {
		return 0, 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	free = b.freeLocked(m)
	if b.limit > 0 {
		free = min(free, b.limit-min(b.limit, b.granted))
	}
	return m.Total, free, nil
}

func (b *budget) freeLocked(m host.Memory) uint64 {
	return m.Available - min(m.Available, b.untapped+headroom)
}

// setLimit changes what all VMs together may have, from the next grant on.
func (b *budget) setLimit(limit uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = limit
}

// sums returns what has been granted, and the limit.
func (b *budget) sums() (granted, limit uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.granted, b.limit
}

// tap says that the VM runs: what it touches is seen in the machine's free memory.
func (g *grant) tap() {
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	if !g.full {
		g.full = true
		g.b.untapped -= g.size
	}
}

// release gives the memory back, once.
func (g *grant) release() {
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	if !g.full {
		g.b.untapped -= g.size
	}
	g.b.granted -= g.size
	g.size, g.full = 0, true
	delete(g.b.guests, g)
}

func short(n uint64) string { return units.Bytes(n).Short() }
