package statexfer

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
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

// partHashes are of a page as it was sent. No two different parts are taken for equal by chance:
// of 10^9 that changed, one in 10^10 transfers would have one, and its receiver would notice.
type partHashes struct {
	leaf  uint64 // of the page
	parts [pageParts]uint64
}

// A partTable has the hashes by page number; different pages may be noted at the same time. It is
// nil where no page is sent again.
type partTable []partHashes

// note notes that the receiver has, or will have, a page with this content.
func (t partTable) note(page, leaf uint64, content []byte) {
	if t == nil || t[page].leaf == leaf {
		return
	}
	h := &t[page]
	h.leaf = leaf
	for i := range h.parts {
		h.parts[i] = xxhash.Sum64(content[i*partSize:][:partSize])
	}
}

// changed returns a bit for each part of a page that is not what it was when the page had a hash;
// none, where that is not known, or too many are.
func (t partTable) changed(page, before uint64, content []byte) uint8 {
	if t == nil || before == zeroLeaf || t[page].leaf != before {
		return 0
	}
	var mask uint8
	for i, h := range t[page].parts {
		if xxhash.Sum64(content[i*partSize:][:partSize]) != h {
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
