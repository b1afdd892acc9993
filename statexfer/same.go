package statexfer

import (
	"bytes"
	"math/bits"
)

// A sameFinder knows for the hash of a page another page that was sent with it.
type sameFinder struct {
	slots []uint32 // page + 1; 0: free. A page is at its hash's place or some places behind
}

// probes is how many places a page may be at.
const probes = 8

// newSameFinder has room for half as many pages again, 6 bytes each.
func newSameFinder(pages uint64) *sameFinder {
	return &sameFinder{make([]uint32, pages+pages/2+probes)}
}

// place is where the pages of a hash begin.
func (f *sameFinder) place(leaf uint64) uint64 {
	at, _ := bits.Mul64(leaf, uint64(len(f.slots)-probes+1))
	return at
}

// find returns a page other than p that was sent with that hash. leaves are of what was sent
// last.
func (f *sameFinder) find(p, leaf uint64, leaves []uint64) (uint64, bool) {
	at := f.place(leaf)
	for _, slot := range f.slots[at:][:probes] {
		if slot == 0 {
			break
		}
		if q := uint64(slot - 1); q != p && leaves[q] == leaf {
			return q, true
		}
	}
	return 0, false
}

// add notes that a page is sent with that hash. Where all places are taken the last one is
// replaced: what is lost is the chance to save a page.
func (f *sameFinder) add(p, leaf uint64) {
	slots := f.slots[f.place(leaf):][:probes]
	for i, slot := range slots {
		if slot == 0 || i == probes-1 {
			slots[i] = uint32(p + 1)
			return
		}
	}
}

// A samePage is a page that need not be carried.
type samePage struct {
	page, ref, leaf uint64
}

// equalTo says whether a page's content is also that of another page, as memory is now.
func equalTo(mem []byte, ref uint64, page []byte) bool {
	return bytes.Equal(mem[ref*PageSize:][:PageSize], page)
}
