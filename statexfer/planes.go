package statexfer

import "encoding/binary"

// Memory is full of words that have little in them: numbers, lengths, pointers of which only the
// low bytes differ, floating-point numbers of one magnitude. Where their bytes alternate with
// random ones no codec finds them. So a page can be compressed as eight planes: the first bytes of
// all its words, then the second bytes, and so on.
const (
	wordSize  = 8
	planeSize = PageSize / wordSize
)

var le = binary.LittleEndian

// split puts the planes of each page of src into dst, and what is behind the last as it is.
func split(dst, src []byte) {
	for ; len(src) >= PageSize; dst, src = dst[PageSize:], src[PageSize:] {
		to, from := (*[PageSize]byte)(dst), (*[PageSize]byte)(src)
		for at := 0; at < planeSize; at += wordSize {
			w := (*[64]byte)(from[wordSize*at:])
			a, b, c, d, e, f, g, h := transpose(le.Uint64(w[0:]), le.Uint64(w[8:]), le.Uint64(w[16:]), le.Uint64(w[24:]),
				le.Uint64(w[32:]), le.Uint64(w[40:]), le.Uint64(w[48:]), le.Uint64(w[56:]))
			p := to[at : at+7*planeSize+8]
			le.PutUint64(p[0*planeSize:], a)
			le.PutUint64(p[1*planeSize:], b)
			le.PutUint64(p[2*planeSize:], c)
			le.PutUint64(p[3*planeSize:], d)
			le.PutUint64(p[4*planeSize:], e)
			le.PutUint64(p[5*planeSize:], f)
			le.PutUint64(p[6*planeSize:], g)
			le.PutUint64(p[7*planeSize:], h)
		}
	}
	copy(dst, src)
}

// join is the inverse of split.
func join(dst, src []byte) {
	for ; len(src) >= PageSize; dst, src = dst[PageSize:], src[PageSize:] {
		to, from := (*[PageSize]byte)(dst), (*[PageSize]byte)(src)
		for at := 0; at < planeSize; at += wordSize {
			p := from[at : at+7*planeSize+8]
			a, b, c, d, e, f, g, h := transpose(
				le.Uint64(p[0*planeSize:]), le.Uint64(p[1*planeSize:]), le.Uint64(p[2*planeSize:]), le.Uint64(p[3*planeSize:]),
				le.Uint64(p[4*planeSize:]), le.Uint64(p[5*planeSize:]), le.Uint64(p[6*planeSize:]), le.Uint64(p[7*planeSize:]))
			w := (*[64]byte)(to[wordSize*at:])
			le.PutUint64(w[0:], a)
			le.PutUint64(w[8:], b)
			le.PutUint64(w[16:], c)
			le.PutUint64(w[24:], d)
			le.PutUint64(w[32:], e)
			le.PutUint64(w[40:], f)
			le.PutUint64(w[48:], g)
			le.PutUint64(w[56:], h)
		}
	}
	copy(dst, src)
}

// transpose takes eight words as a square of bytes and swaps rows and columns: in squares of four
// bytes, of two and of one (Warren, Hacker's Delight, 7-3).
func transpose(a, b, c, d, e, f, g, h uint64) (_, _, _, _, _, _, _, _ uint64) {
	a, e = swap(a, e, 32, 0x00000000ffffffff)
	b, f = swap(b, f, 32, 0x00000000ffffffff)
	c, g = swap(c, g, 32, 0x00000000ffffffff)
	d, h = swap(d, h, 32, 0x00000000ffffffff)
	a, c = swap(a, c, 16, 0x0000ffff0000ffff)
	b, d = swap(b, d, 16, 0x0000ffff0000ffff)
	e, g = swap(e, g, 16, 0x0000ffff0000ffff)
	f, h = swap(f, h, 16, 0x0000ffff0000ffff)
	a, b = swap(a, b, 8, 0x00ff00ff00ff00ff)
	c, d = swap(c, d, 8, 0x00ff00ff00ff00ff)
	e, f = swap(e, f, 8, 0x00ff00ff00ff00ff)
	g, h = swap(g, h, 8, 0x00ff00ff00ff00ff)
	return a, b, c, d, e, f, g, h
}

// swap exchanges what is under the mask in y with what is above it in x.
func swap(x, y uint64, shift uint, mask uint64) (uint64, uint64) {
	t := (x>>(shift&63) ^ y) & mask
	return x ^ t<<(shift&63), y ^ t
}
