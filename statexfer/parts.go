package statexfer

import (
	"hash/maphash"
	"math/bits"
)

// A page that is sent again has mostly changed in a few places. Their contents from before are
// kept for few pages (deltaCache), hashes of their parts for all: then parts that have changed are
// sent alone.
const (
	partSize  = 512
	pageParts = PageSize / partSize

	// mostParts is how many parts of a page are sent alone.
	mostParts = pageParts / 2
)

// partHashes are of a page as it was sent: 44 bytes for each page that may be sent again. Of a hash of
// 64 bits 40 are kept. Of a million parts that changed, one is taken for unchanged in one of a million
// transfers; its receiver notices, and the move fails as one over a bad link does.
type partHashes struct {
	leaf uint32 // of the page, its low bits
	low  [pageParts]uint32
	high [pageParts]uint8
}

// A partTable has the hashes by page number; different pages may be noted at the same time.
type partTable struct {
	seed  maphash.Seed // no hash leaves this process
	pages []partHashes // nil where no page is sent again
}

func newPartTable(pages uint64) partTable {
	return partTable{maphash.MakeSeed(), make([]partHashes, pages)}
}

func (t *partTable) hash(content []byte, part int) (low uint32, high uint8) {
	h := maphash.Bytes(t.seed, content[part*partSize:][:partSize])
	return uint32(h), uint8(h >> 32)
}

// note notes that the receiver has, or will have, a page with this content.
func (t *partTable) note(page, leaf uint64, content []byte) {
	if t.pages == nil {
		return
	}
	h := &t.pages[page]
	h.leaf = uint32(leaf)
	for i := range pageParts {
		h.low[i], h.high[i] = t.hash(content, i)
	}
}

// changed returns a bit for each part of a page that is not what it was when the page had a hash;
// none, where that is not known, or too many are.
func (t *partTable) changed(page, before uint64, content []byte) uint8 {
	if t.pages == nil || before == zeroLeaf || t.pages[page].leaf != uint32(before) {
		return 0
	}
	var mask uint8
	h := &t.pages[page]
	for i := range pageParts {
		if low, high := t.hash(content, i); low != h.low[i] || high != h.high[i] {
			mask |= 1 << i
		}
	}
	if bits.OnesCount8(mask) > mostParts {
		return 0
	}
	return mask
}

// A partList is parts of pages, and for each page which ones.
type partList struct {
	pageList
	content []byte
	masks   []byte
}

func (l *partList) add(page, leaf uint64, mask uint8, content []byte) {
	l.pageList.add(page, leaf)
	l.masks = append(l.masks, mask)
	for m := mask; m != 0; m &= m - 1 {
		l.content = append(l.content, content[bits.TrailingZeros8(m)*partSize:][:partSize]...)
	}
}

// payload is the parts, then the masks.
func (l *partList) payload() []byte { return append(l.content, l.masks...) }

// partMasks returns the masks at the end of a payload, which fit the parts in front of them.
func partMasks(payload []byte, pages int) ([]byte, error) {
	masks := payload[len(payload)-pages:]
	parts := 0
	for _, m := range masks {
		n := bits.OnesCount8(m)
		if n == 0 || n > mostParts {
			return nil, bad(ErrFormat, "%d parts of a page", n)
		}
		parts += n
	}
	if parts*partSize+pages != len(payload) {
		return nil, bad(ErrFormat, "%d parts in %d bytes", parts, len(payload))
	}
	return masks, nil
}

// placeParts replaces parts of a page, and returns the payload behind them.
func placeParts(page []byte, mask uint8, payload []byte) []byte {
	for ; mask != 0; mask &= mask - 1 {
		copy(page[bits.TrailingZeros8(mask)*partSize:][:partSize], payload)
		payload = payload[partSize:]
	}
	return payload
}
