package node

import (
	"fmt"
	"sync"

	"github.com/migrated/migrated/node/host"
)

// headroom is what a machine keeps for itself, bytes: the daemon's own, and what a transfer
// may hold beyond the guest's memory.
const headroom = 32 << 20

// A budget says how much memory VMs may have. Memory that a VM has touched is no longer
// free; what it was promised and has not touched must not be promised twice.
type budget struct {
	host  *host.Host
	limit uint64 // of all VMs together; 0: none

	mu       sync.Mutex
	granted  uint64 // to all VMs here
	untapped uint64 // of that, to those that are only being made or received
}

// A grant is one VM's part of the budget.
type grant struct {
	b    *budget
	size uint64
	full bool // its memory counts as touched
}

// reserve grants memory, or says what is lacking.
func (b *budget) reserve(size uint64) (*grant, error) {
	m, err := b.host.Memory()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit > 0 && size > b.limit-min(b.limit, b.granted) {
		return nil, fmt.Errorf("%s of memory are wanted, and of the %s that VMs may have here %s are taken",
			mebibytes(size), mebibytes(b.limit), mebibytes(b.granted))
	}
	if free := b.freeLocked(m); size > free {
		return nil, fmt.Errorf("%s of memory are wanted, and %s are free", mebibytes(size), mebibytes(free))
	}
	b.granted += size
	b.untapped += size
	return &grant{b: b, size: size}, nil
}

// claim grants memory to a VM that has it already.
func (b *budget) claim(size uint64) *grant {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.granted += size
	return &grant{b: b, size: size, full: true}
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
}

func mebibytes(n uint64) string {
	return fmt.Sprintf("%.4g MiB", float64(n)/(1<<20))
}
