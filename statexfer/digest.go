package statexfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

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
	leaves []uint64 // XXH64 by page number; different pages may be put at the same time

	changed []atomic.Bool       // by block: pages were put since it was worked out
	blocks  [][sha256.Size]byte // by page number / blockPages; nil: not worked out yet
	zero    []uint16            // zero pages in a block
}

// blockPages is how many pages a block of the digest has.
const blockPages = 512

// zeroPage is what a page is compared with.
var zeroPage [PageSize]byte

// zeroLeaf is the hash of a zero page.
var zeroLeaf = xxhash.Sum64(zeroPage[:])

// newDigester begins with pages that are all zero.
func newDigester(pages uint64) *digester {
	leaves := make([]uint64, pages)
	for i := range leaves {
		leaves[i] = zeroLeaf
	}
	return unchanged(leaves)
}

func unchanged(leaves []uint64) *digester {
	return &digester{leaves: leaves, changed: make([]atomic.Bool, (len(leaves)+blockPages-1)/blockPages)}
}

// digesterOf begins with pages of which the hashes are known.
func digesterOf(leaves []uint64) *digester {
	d := unchanged(leaves)
	for i := range d.changed {
		d.changed[i].Store(true)
	}
	return d
}

// put notes the hash of a page.
func (d *digester) put(page, leaf uint64) {
	d.leaves[page] = leaf
	if c := &d.changed[page/blockPages]; !c.Load() { // others look at it as well
		c.Store(true)
	}
}

// set hashes the pages of a run, whose contents are data.
func (d *digester) set(r Run, data []byte) {
	for i := range r.Count {
		d.put(r.First+i, leafOf(data[i*PageSize:][:PageSize]))
	}
}

func leafOf(page []byte) uint64 { return xxhash.Sum64(page) }

// setZero notes that a run's pages are zero.
func (d *digester) setZero(r Run) {
	for i := range r.Count {
		if d.leaves[r.First+i] != zeroLeaf {
			d.put(r.First+i, zeroLeaf)
		}
	}
}

// sum returns the digest and the number of zero pages. Nobody puts pages meanwhile.
func (d *digester) sum() (digest [32]byte, zero uint64) {
	pages := len(d.leaves)
	if d.blocks == nil {
		d.begin()
	}
	h := sha256.New()
	h.Write([]byte("migrated memory digest 2\n"))
	var sizes [16]byte
	binary.LittleEndian.PutUint64(sizes[:], PageSize)
	binary.LittleEndian.PutUint64(sizes[8:], uint64(pages))
	h.Write(sizes[:])
	for b := range d.blocks {
		if d.changed[b].Load() {
			d.changed[b].Store(false)
			d.hashBlock(b)
		}
		zero += uint64(d.zero[b])
		h.Write(d.blocks[b][:])
	}
	h.Sum(digest[:0])
	return digest, zero
}

// begin knows all pages as zero: one block is worked out for all of one size.
func (d *digester) begin() {
	d.blocks = make([][sha256.Size]byte, len(d.changed))
	d.zero = make([]uint16, len(d.blocks))
	for b := range d.blocks {
		if len(d.block(b)) < blockPages {
			d.changed[b].Store(true)
			continue
		}
		d.blocks[b], d.zero[b] = zeroBlock, blockPages
	}
}

// block returns the hashes of the pages of a block.
func (d *digester) block(b int) []uint64 {
	return d.leaves[b*blockPages : min((b+1)*blockPages, len(d.leaves))]
}

func (d *digester) hashBlock(b int) {
	leaves := d.block(b)
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

// zeroBlock is the hash of a block of zero pages.
var zeroBlock = sha256.Sum256(bytes.Repeat(binary.LittleEndian.AppendUint64(nil, zeroLeaf), blockPages))

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
	d := digesterOf(leavesOf(mem, nil))
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
