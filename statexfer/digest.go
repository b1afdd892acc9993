package statexfer

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// A digest of memory is a tree of three levels: XXH64 of each page, SHA-256 over the hashes of
// a block of pages, and SHA-256 over a preamble and all blocks. Pages can be hashed in any
// order, in parallel, and again when a later round brings them again; a zero page costs
// nothing, and only blocks in which a page has changed are worked out again. So the digest of
// a large memory of which little changed since the last round is there at once.
//
// It is to find faults, not forgers: a sender that wants to lie needs no collision, and
// whoever sits between the two sides is kept out by the channel. XXH64 is the page hash
// because it needs nothing but multiplication: SHA-256 of the pages would run at 50 MB/s on
// an emulated processor or one without SHA instructions.
type digester struct {
	leaves []uint64 // XXH64 by page number; different pages may be set at the same time

	// Used by sum alone.
	known  []uint64            // leaves as they were when blocks was worked out
	blocks [][sha256.Size]byte // by page number / blockPages
	zero   []uint16            // zero pages in a block
}

// blockPages is how many pages a block of the digest has.
const blockPages = 512

// zeroPage is what a page is compared with.
var zeroPage [PageSize]byte

// zeroLeaf is the hash of a zero page.
var zeroLeaf = xxhash.Sum64(zeroPage[:])

// newDigester starts with all pages zero.
func newDigester(pages uint64) *digester {
	d := &digester{leaves: make([]uint64, pages)}
	for i := range d.leaves {
		d.leaves[i] = zeroLeaf
	}
	return d
}

// set hashes the pages of a run, whose contents are data.
func (d *digester) set(r Run, data []byte) {
	for i := range r.Count {
		d.leaves[r.First+i] = leafOf(data[i*PageSize:][:PageSize])
	}
}

func leafOf(page []byte) uint64 { return xxhash.Sum64(page) }

// setZero notes that a run's pages are zero.
func (d *digester) setZero(r Run) {
	for i := range r.Count {
		d.leaves[r.First+i] = zeroLeaf
	}
}

// sum returns the digest and the number of zero pages.
func (d *digester) sum() (digest [32]byte, zero uint64) {
	pages := len(d.leaves)
	if d.known == nil {
		d.begin()
	}
	h := sha256.New()
	h.Write([]byte("migrated memory digest 2\n"))
	var sizes [16]byte
	binary.LittleEndian.PutUint64(sizes[:], PageSize)
	binary.LittleEndian.PutUint64(sizes[8:], uint64(pages))
	h.Write(sizes[:])
	for b := range d.blocks {
		from, to := b*blockPages, min((b+1)*blockPages, pages)
		d.sumBlock(b, d.leaves[from:to], d.known[from:to])
		zero += uint64(d.zero[b])
		h.Write(d.blocks[b][:])
	}
	h.Sum(digest[:0])
	return digest, zero
}

// begin knows all pages as zero. Where memory is to come by post-copy, most of them are so while
// the guest stands still, and one block is worked out for all.
func (d *digester) begin() {
	pages := len(d.leaves)
	d.known = make([]uint64, pages)
	for i := range d.known {
		d.known[i] = zeroLeaf
	}
	d.blocks = make([][sha256.Size]byte, (pages+blockPages-1)/blockPages)
	d.zero = make([]uint16, len(d.blocks))
	for b := range d.blocks {
		from, to := b*blockPages, min((b+1)*blockPages, pages)
		if b > 0 && to-from == blockPages {
			d.blocks[b], d.zero[b] = d.blocks[0], d.zero[0]
			continue
		}
		d.hashBlock(b, d.known[from:to])
	}
}

// sumBlock works out a block again where a page of it has changed.
func (d *digester) sumBlock(b int, leaves, known []uint64) {
	same := true
	for i, leaf := range leaves {
		if known[i] != leaf {
			same = false
			known[i] = leaf
		}
	}
	if !same {
		d.hashBlock(b, leaves)
	}
}

func (d *digester) hashBlock(b int, leaves []uint64) {
	var buf [8 * blockPages]byte
	d.zero[b] = 0
	for i, leaf := range leaves {
		if leaf == zeroLeaf {
			d.zero[b]++
		}
		binary.LittleEndian.PutUint64(buf[8*i:], leaf)
	}
	d.blocks[b] = sha256.Sum256(buf[:8*len(leaves)])
}

// sumLeaves is what a frame says of its pages' contents: XXH64 over their hashes, in order.
func sumLeaves(leaves []uint64) uint64 {
	var buf [8 * maxBatchPages]byte
	for i, leaf := range leaves {
		binary.LittleEndian.PutUint64(buf[8*i:], leaf)
	}
	return xxhash.Sum64(buf[:8*len(leaves)])
}

// Digest returns what Send and Receive return for the same memory.
func Digest(mem []byte) [32]byte {
	d := &digester{leaves: leavesOf(mem, nil)}
	digest, _ := d.sum()
	return digest
}

// leavesOf hashes the pages of mem that are in use; all, for nil. The others are zero, and are not
// touched.
func leavesOf(mem []byte, used Bitmap) []uint64 {
	pages := uint64(len(mem)) / PageSize
	d := newDigester(pages)
	const part = 4096 // pages a goroutine
	var wg sync.WaitGroup
	limit := make(chan struct{}, defaultWorkers())
	for first := uint64(0); first < pages; first += part {
		if used != nil {
			if first = used.next(first, pages) / part * part; first >= pages {
				break
			}
		}
		limit <- struct{}{}
		wg.Go(func() {
			for p := first; p < min(first+part, pages); p++ {
				if used != nil && !used.Has(p) {
					continue
				}
				if page := mem[p*PageSize:][:PageSize]; !isZero(page) {
					d.leaves[p] = leafOf(page)
				}
			}
			<-limit
		})
	}
	wg.Wait()
	return d.leaves
}
