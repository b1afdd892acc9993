package statexfer

import (
	"encoding/binary"
	"math/bits"
)

// A Run is Count pages from First on.
type Run struct {
	First uint64 // page number
	Count uint64 // pages, at least 1
}

// bytes returns the run's part of mem. Nothing behind it can be reached by appending.
func (r Run) bytes(mem []byte) []byte {
	from, to := r.First*PageSize, (r.First+r.Count)*PageSize
	return mem[from:to:to]
}

// A Bitmap holds one bit a page, page n in bit n%64 of word n/64: the layout of KVM's dirty
// log. Pages behind its end are clear.
type Bitmap []uint64

// NewBitmap returns an empty bitmap for that many pages.
func NewBitmap(pages uint64) Bitmap { return make(Bitmap, (pages+63)/64) }

// Set adds page n.
func (b Bitmap) Set(n uint64) { b[n/64] |= 1 << (n % 64) }

// Has says whether page n is in the set.
func (b Bitmap) Has(n uint64) bool { return n/64 < uint64(len(b)) && b[n/64]>>(n%64)&1 != 0 }

// Clear removes page n.
func (b Bitmap) Clear(n uint64) { b[n/64] &^= 1 << (n % 64) }

// Add adds all pages of another set of the same size.
func (b Bitmap) Add(other Bitmap) {
	for i, w := range other {
		b[i] |= w
	}
}

// Keep removes all pages that are not in another set of the same size.
func (b Bitmap) Keep(other Bitmap) {
	for i, w := range other {
		b[i] &= w
	}
}

// Remove removes all pages of another set of the same size.
func (b Bitmap) Remove(other Bitmap) {
	for i, w := range other {
		b[i] &^= w
	}
}

// Next returns the first page of the set that is not before n, and at most limit.
func (b Bitmap) Next(n, limit uint64) uint64 { return b.next(n, limit) }

// Count returns the number of pages in the set.
func (b Bitmap) Count() uint64 {
	var n uint64
	for _, w := range b {
		n += uint64(bits.OnesCount64(w))
	}
	return n
}

// next returns the first page of the set that is not before n, and at most limit.
func (b Bitmap) next(n, limit uint64) uint64 {
	for n < limit && n/64 < uint64(len(b)) {
		if w := b[n/64] >> (n % 64); w != 0 {
			return min(n+uint64(bits.TrailingZeros64(w)), limit)
		}
		n = (n/64 + 1) * 64
	}
	return limit
}

// A page set on the wire is one byte of form and then
//
//	setRuns    runs as pairs of uvarints: pages skipped since the end of the run before
//	           (from page 0 for the first), and pages in the run
//	setBitmap  uvarint of the first page's number, then bytes: bit i of byte j is page
//	           first + 8j + i. Bit 0 of byte 0 and some bit of the last byte are set
//
// A sender takes the shorter one. Both list pages in rising order.
const (
	setRuns   = 0
	setBitmap = 1
)

// maxSetLen bounds the encoding of a set of maxBatchPages pages: a form, and a run of two
// uvarints a page. Page numbers stay below maxPages, which is 6 bytes as a uvarint.
const maxSetLen = 1 + maxBatchPages*(6+2)

// fitsSet says whether a page behind runs, which begin with first, still goes into the encoding of
// a set, of any number of pages: as one more run, or in a bitmap.
func fitsSet(runs []Run, first, page uint64) bool {
	const maxRuns, maxSpan = (maxSetLen - 1) / (6 + 6), (maxSetLen - 1 - 8) * 8
	return len(runs) < maxRuns || page-first < maxSpan
}

// appendPage adds a page to runs in rising order.
func appendPage(runs []Run, page uint64) []Run {
	if n := len(runs); n > 0 && runs[n-1].First+runs[n-1].Count == page {
		runs[n-1].Count++
		return runs
	}
	return append(runs, Run{page, 1})
}

// appendSet appends the encoding of runs, which are not empty, rise and do not touch.
func appendSet(buf []byte, runs []Run) []byte {
	start := len(buf)
	buf = append(buf, setRuns)
	var end uint64
	for _, r := range runs {
		buf = binary.AppendUvarint(buf, r.First-end)
		buf = binary.AppendUvarint(buf, r.Count)
		end = r.First + r.Count
	}
	first := runs[0].First
	width := (end - first + 7) / 8
	if width+1+8 >= uint64(len(buf)-start) {
		return buf
	}
	buf = append(buf[:start], setBitmap)
	buf = binary.AppendUvarint(buf, first)
	at := len(buf)
	buf = append(buf, make([]byte, width)...)
	for _, r := range runs {
		for p := r.First - first; p < r.First-first+r.Count; p++ {
			buf[at+int(p/8)] |= 1 << (p % 8)
		}
	}
	return buf
}

// parseSet decodes a set of exactly count pages, all below limit, into runs[:0].
func parseSet(buf []byte, runs []Run, count int, limit uint64) ([]Run, error) {
	runs = runs[:0]
	if len(buf) == 0 {
		return nil, bad(ErrFormat, "empty page set")
	}
	form, buf := buf[0], buf[1:]
	switch form {
	case setRuns:
		var total, end uint64
		for len(buf) > 0 {
			skip, n := binary.Uvarint(buf)
			if n <= 0 {
				return nil, bad(ErrFormat, "page set: bad number")
			}
			buf = buf[n:]
			pages, n := binary.Uvarint(buf)
			if n <= 0 || pages == 0 || skip == 0 && len(runs) > 0 {
				return nil, bad(ErrFormat, "page set: bad run")
			}
			buf = buf[n:]
			// Each is compared by itself first, so no sum can wrap.
			if skip > limit-end || pages > limit-end-skip {
				return nil, bad(ErrPageRange, "region has %d pages", limit)
			}
			if total += pages; total > uint64(count) {
				return nil, bad(ErrFormat, "page set: more than the %d pages announced", count)
			}
			runs = append(runs, Run{end + skip, pages})
			end += skip + pages
		}
		if total != uint64(count) {
			return nil, bad(ErrFormat, "page set: %d of %d pages", total, count)
		}
	case setBitmap:
		first, n := binary.Uvarint(buf)
		if n <= 0 {
			return nil, bad(ErrFormat, "page set: bad number")
		}
		buf = buf[n:]
		if len(buf) == 0 || buf[0]&1 == 0 || buf[len(buf)-1] == 0 {
			return nil, bad(ErrFormat, "page set: bitmap not trimmed")
		}
		last := uint64(len(buf)-1)*8 + uint64(bits.Len8(buf[len(buf)-1])-1)
		if first >= limit || last >= limit-first {
			return nil, bad(ErrPageRange, "region has %d pages", limit)
		}
		total := 0
		for i, b := range buf {
			total += bits.OnesCount8(b)
			for ; b != 0; b &= b - 1 {
				runs = appendPage(runs, first+uint64(i)*8+uint64(bits.TrailingZeros8(b)))
			}
		}
		if total != count {
			return nil, bad(ErrFormat, "page set: %d of %d pages", total, count)
		}
	default:
		return nil, bad(ErrFormat, "page set: unknown form %d", form)
	}
	return runs, nil
}
