package statexfer

import "bytes"

// A sameFinder knows for the hash of a page another page that was sent with it.
type sameFinder struct {
	slots []uint32 // page + 1; 0: free. A page is at its hash's place or some places behind
}

// probes is how many places a page may be at.
const probes = 8

// newSameFinder has room for twice the pages, 8 bytes each.
func newSameFinder(pages uint64) *sameFinder {
	size := uint64(64)
	for size < 2*pages {
		size *= 2
	}
	return &sameFinder{make([]uint32, size)}
}

// find returns a page other than p that was sent with that hash. leaves are of what was sent
// last.
func (f *sameFinder) find(p, leaf uint64, leaves []uint64) (uint64, bool) {
	mask := uint64(len(f.slots) - 1)
	for i := range uint64(probes) {
		slot := f.slots[(leaf+i)&mask]
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
	mask := uint64(len(f.slots) - 1)
	for i := range uint64(probes) {
		slot := &f.slots[(leaf+i)&mask]
		if *slot == 0 || i == probes-1 {
			*slot = uint32(p + 1)
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
