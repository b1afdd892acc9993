package live

import (
	"github.com/cespare/xxhash/v2"

	"github.com/migrated/migrated/statexfer"
)

// A dirty log names pages that were only read, too, when they are touched for the first time: KVM may map them
// for writing at once. So a guest that reads all over seems to write all over. What some of its pages hold
// tells the two apart.

// A probe is what some pages held.
type probe struct {
	pages  []uint64
	hashes []uint64
}

const (
	// probePages is how many there are at most: to hash them takes some milliseconds.
	probePages = 8192
	// probeLeast is how many of them have to be in a log for their share to say something.
	probeLeast = 16
)

// newProbe looks at pages spread over a set.
func newProbe(mem []byte, used statexfer.Bitmap) probe {
	var p probe
	step := used.Count()/probePages + 1
	n := uint64(0)
	limit := uint64(len(mem)) / statexfer.PageSize
	for page := used.Next(0, limit); page < limit; page = used.Next(page+1, limit) {
		if n++; n%step == 0 {
			p.pages = append(p.pages, page)
			p.hashes = append(p.hashes, hashAt(mem, page))
		}
	}
	return p
}

func hashAt(mem []byte, page uint64) uint64 {
	return xxhash.Sum64(mem[page*statexfer.PageSize:][:statexfer.PageSize])
}

// changed returns which share of the pages in a log hold something else by now: 1, where too few are known to tell.
func (p *probe) changed(mem []byte, log statexfer.Bitmap) float64 {
	logged, changed := 0, 0
	for i, page := range p.pages {
		if !log.Has(page) {
			continue
		}
		if logged++; hashAt(mem, page) != p.hashes[i] {
			changed++
		}
	}
	if logged < probeLeast {
		return 1
	}
	return float64(changed) / float64(logged)
}
