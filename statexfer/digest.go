package statexfer

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// A digest of memory is a tree of two levels: XXH64 of each page, and SHA-256 over a
// preamble and all page hashes. Pages can be hashed in any order, in parallel, and again when
// a later round brings them again; a zero page costs nothing.
//
// It is to find faults, not forgers: a sender that wants to lie needs no collision, and
// whoever sits between the two sides is kept out by the channel. XXH64 is the page hash
// because it needs nothing but multiplication: SHA-256 of the pages would run at 50 MB/s on
// an emulated processor or one without SHA instructions.
type digester struct {
	leaves []uint64 // XXH64 by page number; different pages may be set at the same time
}

// zeroPage is what a page is compared with.
var zeroPage [PageSize]byte

// zeroLeaf is the hash of a zero page.
var zeroLeaf = xxhash.Sum64(zeroPage[:])

// newDigester starts with all pages zero.
func newDigester(pages uint64) *digester {
	d := &digester{make([]uint64, pages)}
	for i := range d.leaves {
		d.leaves[i] = zeroLeaf
	}
	return d
}

// set hashes the pages of a run, whose contents are data.
func (d *digester) set(r Run, data []byte) {
	for i := range r.Count {
		d.leaves[r.First+i] = xxhash.Sum64(data[i*PageSize:][:PageSize])
	}
}

// setZero notes that a run's pages are zero.
func (d *digester) setZero(r Run) {
	for i := range r.Count {
		d.leaves[r.First+i] = zeroLeaf
	}
}

// sum returns the digest and the number of zero pages.
func (d *digester) sum() (digest [32]byte, zero uint64) {
	h := sha256.New()
	buf := append(make([]byte, 0, 8192), "migrated memory digest 1\n"...)
	buf = binary.LittleEndian.AppendUint64(buf, PageSize)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(d.leaves)))
	for _, leaf := range d.leaves {
		if leaf == zeroLeaf {
			zero++
		}
		if len(buf)+8 > cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
		buf = binary.LittleEndian.AppendUint64(buf, leaf)
	}
	h.Write(buf)
	h.Sum(digest[:0])
	return digest, zero
}

// Digest returns what Send and Receive return for the same memory.
func Digest(mem []byte) [32]byte {
	pages := uint64(len(mem) / PageSize)
	d := newDigester(pages)
	const part = 4096 // pages a goroutine
	var wg sync.WaitGroup
	limit := make(chan struct{}, defaultWorkers())
	for first := uint64(0); first < pages; first += part {
		limit <- struct{}{}
		wg.Go(func() {
			r := Run{first, min(part, pages-first)}
			d.set(r, r.bytes(mem))
			<-limit
		})
	}
	wg.Wait()
	digest, _ := d.sum()
	return digest
}
