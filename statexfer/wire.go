package statexfer

import (
	"encoding/binary"
	"math"

	"github.com/cespare/xxhash/v2"
)

// The stream: a stream header, frames, an end frame. All numbers are little-endian.
// docs/wire-memory.md is the specification; what is here must agree with it.
const (
	Version       = 5 // of the stream, as it is written
	magic         = "migmem\r\n"
	oldestVersion = 3 // that is read: without planes, parts and bare contents, and otherwise the same
	streamHdrLen  = 32
	frameHdrLen   = 48
	maxBatchPages = 256                      // 1 MiB of pages
	minBatchPages = 32                       // for a sender, where there are enough
	maxRaw        = maxBatchPages * PageSize // bytes
	maxPages      = 1 << 40                  // 4 PiB of memory
)

// A frameKind says what a frame is.
type frameKind uint8

const (
	kindBatch frameKind = 1 // a page set, and the pages' contents
	kindZero  frameKind = 2 // a page set: these pages are zero
	kindRound frameKind = 3 // a round is over; pages may come again
	kindEnd   frameKind = 4 // the transfer is over
	kindBase  frameKind = 5 // a page set: these pages are as the receiver has offered them
	kindSame  frameKind = 6 // a page set, and for each page another one that it is equal to
	kindDelta frameKind = 7 // a page set, and what the pages differ in from what they were
	kindLater frameKind = 8 // a page set: these pages come after the transfer, by post-copy
	kindParts frameKind = 9 // a page set, and those parts of the pages that have changed
)

// Flags of a frame header.
const (
	flagPlanes = 1 // the payload is of planes
	flagBare   = 2 // the payload is pages as they are, and has no checksum but that of their hashes
)

// hasPages says whether frames of this kind name pages.
func (k frameKind) hasPages() bool { return k != kindRound && k != kindEnd }

// hasContents says whether frames of this kind carry what pages hold.
func (k frameKind) hasContents() bool { return k == kindBatch || k == kindDelta || k == kindParts }

// appendStreamHeader begins a stream of that many pages.
func appendStreamHeader(b []byte, codec Codec, pages uint64) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint16(b, Version)
	b = append(b, byte(codec), 0)
	b = binary.LittleEndian.AppendUint32(b, PageSize)
	b = binary.LittleEndian.AppendUint64(b, pages)
	return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[start:]))
}

// parseStreamHeader returns the codec and the number of pages.
func parseStreamHeader(b *[streamHdrLen]byte) (Codec, uint64, error) {
	if string(b[:8]) != magic {
		return 0, 0, bad(ErrFormat, "no magic number")
	}
	// The version comes before the checksum, which another version may place elsewhere.
	if v := binary.LittleEndian.Uint16(b[8:]); v < oldestVersion || v > Version {
		return 0, 0, bad(ErrVersion, "%d, this side speaks %d", v, Version)
	}
	if binary.LittleEndian.Uint64(b[24:]) != xxhash.Sum64(b[:24]) {
		return 0, 0, bad(ErrChecksum, "stream header")
	}
	codec := Codec(b[10])
	if codec > Zstd || b[11] != 0 {
		return 0, 0, bad(ErrFormat, "unknown codec %d or flags %#x", b[10], b[11])
	}
	if size := binary.LittleEndian.Uint32(b[12:]); size != PageSize {
		return 0, 0, bad(ErrGeometry, "pages of %d bytes, here %d", size, PageSize)
	}
	return codec, binary.LittleEndian.Uint64(b[16:]), nil
}

// A frame is a parsed frame header.
type frame struct {
	kind    frameKind
	codec   Codec  // of the payload
	planes  bool   // it is of the pages' planes
	bare    bool   // it is in nothing but the pages' checksum
	seq     uint32 // number of the frame
	pages   int    // in the set
	setLen  int    // bytes of the page set
	rawLen  int    // bytes of the payload, decompressed
	wireLen int    // bytes of the payload
	bodySum uint64 // XXH64 of what it covers
	pageSum uint64 // of the pages' contents, as sumLeaves has it
}

func (f *frame) bodyLen() int { return f.setLen + f.wireLen }

// covered is how many bytes of the body its checksum is of. Of pages as they are, their hashes say
// as much, which both sides need anyway.
func (f *frame) covered() int {
	if f.bare {
		return f.setLen
	}
	return f.bodyLen()
}

// put writes the header of a frame.
func (f *frame) put(b []byte) {
	_ = b[frameHdrLen-1]
	b[0], b[1], b[2], b[3] = byte(f.kind), byte(f.codec), 0, 0
	if f.planes {
		b[2] |= flagPlanes
	}
	if f.bare {
		b[2] |= flagBare
	}
	binary.LittleEndian.PutUint32(b[4:], f.seq)
	binary.LittleEndian.PutUint32(b[8:], uint32(f.pages))
	binary.LittleEndian.PutUint32(b[12:], uint32(f.setLen))
	binary.LittleEndian.PutUint32(b[16:], uint32(f.rawLen))
	binary.LittleEndian.PutUint32(b[20:], uint32(f.wireLen))
	binary.LittleEndian.PutUint64(b[24:], f.bodySum)
	binary.LittleEndian.PutUint64(b[32:], f.pageSum)
	binary.LittleEndian.PutUint64(b[40:], xxhash.Sum64(b[:40]))
}

// parseFrame reads a header and checks every size in it, so that what it returns may be
// allocated.
func parseFrame(b *[frameHdrLen]byte, seq uint32) (frame, error) {
	if binary.LittleEndian.Uint64(b[40:]) != xxhash.Sum64(b[:40]) {
		return frame{}, bad(ErrChecksum, "frame header")
	}
	size := func(at int) int {
		// int may have 32 bits; nothing valid is near its end.
		return int(min(binary.LittleEndian.Uint32(b[at:]), math.MaxInt32))
	}
	f := frame{
		kind:    frameKind(b[0]),
		codec:   Codec(b[1]),
		planes:  b[2]&flagPlanes != 0,
		bare:    b[2]&flagBare != 0,
		seq:     binary.LittleEndian.Uint32(b[4:]),
		pages:   size(8),
		setLen:  size(12),
		rawLen:  size(16),
		wireLen: size(20),
		bodySum: binary.LittleEndian.Uint64(b[24:]),
		pageSum: binary.LittleEndian.Uint64(b[32:]),
	}
	if b[2]&^(flagPlanes|flagBare) != 0 || b[3] != 0 ||
		f.planes && (f.codec == None || !f.kind.hasContents()) || f.bare && (f.codec != None || f.kind != kindBatch) {
		return f, bad(ErrFormat, "unknown flags")
	}
	if f.seq != seq {
		return f, bad(ErrFormat, "frame %d out of order", f.seq)
	}
	if f.kind.hasPages() {
		if f.pages < 1 || f.pages > maxBatchPages && f.kind != kindLater || f.setLen < 1 || f.setLen > maxSetLen {
			return f, bad(ErrFormat, "set of %d pages, %d bytes", f.pages, f.setLen)
		}
	} else if f.pages != 0 || f.setLen != 0 || f.pageSum != 0 {
		return f, bad(ErrFormat, "pages in a frame without")
	}
	if f.codec < None || f.codec > Zstd || f.codec == None && f.wireLen != f.rawLen || f.codec != None && !f.kind.hasContents() {
		return f, bad(ErrFormat, "%v frame of %d to %d bytes", f.codec, f.rawLen, f.wireLen)
	}
	switch f.kind {
	case kindBatch, kindDelta:
		if f.rawLen != f.pages*PageSize || f.wireLen < 1 || f.wireLen > f.rawLen {
			return f, bad(ErrFormat, "batch of %d pages, %d to %d bytes", f.pages, f.rawLen, f.wireLen)
		}
	case kindParts:
		if f.rawLen < f.pages*(partSize+1) || f.rawLen > f.pages*(mostParts*partSize+1) || f.wireLen < 1 || f.wireLen > f.rawLen {
			return f, bad(ErrFormat, "parts of %d pages, %d to %d bytes", f.pages, f.rawLen, f.wireLen)
		}
	case kindLater:
		// All pages may be named in a few frames: they have no content to check.
		if f.rawLen != 0 || f.pageSum != 0 {
			return f, bad(ErrFormat, "content of pages that come later")
		}
	case kindZero, kindBase, kindRound:
		if f.rawLen != 0 {
			return f, bad(ErrFormat, "payload of %d bytes where none belongs", f.rawLen)
		}
	case kindSame:
		if f.rawLen < f.pages || f.rawLen > f.pages*maxRefLen {
			return f, bad(ErrFormat, "%d pages equal to others in %d bytes", f.pages, f.rawLen)
		}
	case kindEnd:
		if f.rawLen != endLen {
			return f, bad(ErrFormat, "end of %d bytes", f.wireLen)
		}
	default:
		return f, bad(ErrFormat, "unknown kind %d", b[0])
	}
	return f, nil
}

// An end frame's payload: the sender's counts and its digest.
const endLen = 10*8 + 32

func appendEnd(b []byte, s Stats, digest [32]byte) []byte {
	for _, v := range [...]uint64{
		s.Pages, s.Zero, s.Sent, s.Delta, s.Same, s.Base, s.Later, s.Batches, uint64(s.Rounds), s.WireBytes,
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return append(b, digest[:]...)
}

// maxRefLen is what one page number takes in a frame of equal pages at most, bytes: page
// numbers stay below maxPages.
const maxRefLen = 6

// appendRefs appends page numbers.
func appendRefs(b []byte, refs []uint64) []byte {
	for _, r := range refs {
		b = binary.AppendUvarint(b, r)
	}
	return b
}

// parseRefs reads exactly count page numbers below limit into refs[:0].
func parseRefs(b []byte, refs []uint64, count int, limit uint64) ([]uint64, error) {
	refs = refs[:0]
	for range count {
		r, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, bad(ErrFormat, "equal pages: bad number")
		}
		if r >= limit {
			return nil, bad(ErrPageRange, "equal pages: region has %d pages", limit)
		}
		refs, b = append(refs, r), b[n:]
	}
	if len(b) != 0 {
		return nil, bad(ErrFormat, "equal pages: %d bytes too many", len(b))
	}
	return refs, nil
}

// checkEnd compares the sender's account, in an end frame's payload, with the receiver's.
func checkEnd(b []byte, s Stats, digest [32]byte) error {
	mine := appendEnd(nil, s, digest)
	if string(b[:endLen-32]) != string(mine[:endLen-32]) {
		return bad(ErrFormat, "counts differ from what was received")
	}
	if string(b) != string(mine) {
		return bad(ErrDigest, "digest %x, here %x", b[endLen-32:endLen], digest)
	}
	return nil
}
