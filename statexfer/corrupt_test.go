package statexfer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// frames returns where the frames of a stream begin.
func frames(t testing.TB, stream []byte) (starts []int) {
	t.Helper()
	for at, seq := streamHdrLen, uint32(0); at < len(stream); seq++ {
		f, err := parseFrame((*[frameHdrLen]byte)(stream[at:]), seq)
		if err != nil {
			t.Fatal(err)
		}
		starts = append(starts, at)
		at += frameHdrLen + f.bodyLen()
	}
	return starts
}

// reseal makes both checksums of the frame at an offset right again, and gives it a number.
func reseal(stream []byte, at int, seq uint32) {
	h := stream[at:]
	n := binary.LittleEndian.Uint32(h[12:])
	if h[2]&flagBare == 0 {
		n += binary.LittleEndian.Uint32(h[20:])
	}
	body := h[frameHdrLen:]
	if uint64(n) < uint64(len(body)) {
		body = body[:n]
	}
	binary.LittleEndian.PutUint32(h[4:], seq)
	binary.LittleEndian.PutUint64(h[24:], xxhash.Sum64(body))
	binary.LittleEndian.PutUint64(h[40:], xxhash.Sum64(h[:40]))
}

func receiveBytes(stream []byte, pages int) error {
	_, _, err := ReceiveWith(context.Background(), bytes.NewReader(stream), make([]byte, pages*PageSize), ReceiveOptions{ToEOF: true})
	return err
}

// Every byte of a stream is covered by some check.
func TestEveryFlippedByteIsFound(t *testing.T) {
	const pages = 3
	mem := make([]byte, pages*PageSize)
	copy(mem[PageSize:], bytes.Repeat([]byte("abcdefgh"), 2*PageSize/8))
	for _, codec := range []Codec{None, S2, Zstd} {
		stream, _, _ := encode(t, mem, Options{Compress: codec})
		for at := range stream {
			altered := bytes.Clone(stream)
			altered[at] ^= 0x10
			var se *StreamError
			if err := receiveBytes(altered, pages); !errors.As(err, &se) {
				t.Fatalf("%v: byte %d of %d altered: error %v", codec, at, len(stream), err)
			}
		}
	}
}

func TestEveryTruncationIsFound(t *testing.T) {
	const pages = 3
	mem := bytes.Repeat([]byte("abcdefgh"), pages*PageSize/8)
	stream, _, _ := encode(t, mem, Options{Compress: S2})
	for n := range stream {
		if err := receiveBytes(stream[:n], pages); !errors.Is(err, ErrTruncated) {
			t.Fatalf("%d of %d bytes: error %v", n, len(stream), err)
		}
	}
}

// What is wrong although all checksums are right, as only a faulty or hostile sender makes it.
func TestHostileStreams(t *testing.T) {
	const pages = 600 // three batches
	put32 := binary.LittleEndian.PutUint32
	mem := testNoise(pages)
	stream, _, _ := encode(t, mem, Options{Compress: S2, Workers: 1})
	text := bytes.Repeat([]byte("abcdefgh"), pages*PageSize/8)
	for p := range pages {
		put32(text[p*PageSize:], uint32(p))
	}
	zstream, _, _ := encode(t, text, Options{Compress: Zstd, Workers: 1})
	at := frames(t, stream)
	end := at[len(at)-1]
	first := stream[at[0]:at[1]]

	tests := []struct {
		name  string
		want  error
		build func() []byte
	}{
		{"no magic", ErrFormat, func() []byte { s := bytes.Clone(stream); s[0]++; return s }},
		{"another version", ErrVersion, func() []byte { s := bytes.Clone(stream); s[8]++; return s }},
		{"another size", ErrGeometry, func() []byte {
			return append(appendStreamHeader(nil, S2, pages+1), stream[streamHdrLen:]...)
		}},
		{"huge size", ErrGeometry, func() []byte {
			return append(appendStreamHeader(nil, S2, 1<<63), stream[streamHdrLen:]...)
		}},
		{"unknown codec asked for", ErrFormat, func() []byte {
			return append(appendStreamHeader(nil, 9, pages), stream[streamHdrLen:]...)
		}},
		{"unknown kind", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			s[at[0]] = 9
			reseal(s, at[0], 0)
			return s
		}},
		{"unknown flags", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			s[at[0]+2] = 4
			reseal(s, at[0], 0)
			return s
		}},
		{"planes of pages that are not compressed", ErrFormat, func() []byte {
			f := frame{kind: kindBatch, codec: None, planes: true, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), mem[:PageSize])...)
		}},
		{"bare contents that are compressed", ErrFormat, func() []byte {
			f := frame{kind: kindBatch, codec: S2, bare: true, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), []byte{0xff, 0xff, 3, 0})...)
		}},
		{"bare contents that are not pages", ErrFormat, func() []byte {
			f := frame{kind: kindDelta, codec: None, bare: true, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), mem[:PageSize])...)
		}},
		{"bare contents of pages that came before", ErrDuplicate, func() []byte {
			f := frame{kind: kindBatch, codec: None, bare: true, pages: 1, rawLen: PageSize, seq: 1}
			return append(stream[:at[1]:at[1]], seal(f, appendSet(nil, []Run{{1, 1}}), mem[:PageSize])...)
		}},
		{"planes of no contents", ErrFormat, func() []byte {
			f := frame{kind: kindZero, codec: None, planes: true, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), nil)...)
		}},
		{"planes of another length", ErrFormat, func() []byte {
			f := frame{kind: kindBatch, codec: S2, planes: true, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), []byte{0xff, 0xff, 3, 0})...)
		}},
		{"no part of a page", ErrFormat, func() []byte {
			f := frame{kind: kindParts, codec: None, pages: 2, rawLen: partSize + 2}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 2}}), append(make([]byte, partSize), 0, 1))...)
		}},
		{"too many parts of a page", ErrFormat, func() []byte {
			f := frame{kind: kindParts, codec: None, pages: 2, rawLen: 6*partSize + 2}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 2}}), append(make([]byte, 6*partSize), 0x1f, 1))...)
		}},
		{"more parts than there are", ErrFormat, func() []byte {
			f := frame{kind: kindParts, codec: None, pages: 2, rawLen: 2*partSize + 2}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 2}}), append(make([]byte, 2*partSize), 3, 1))...)
		}},
		{"a version before the oldest", ErrVersion, func() []byte {
			s := bytes.Clone(stream)
			s[8] = oldestVersion - 1
			return s
		}},
		{"unknown codec", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			s[at[0]+1] = 4
			reseal(s, at[0], 0)
			return s
		}},
		{"too many pages", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			put32(s[at[0]+8:], maxBatchPages+1)
			put32(s[at[0]+16:], (maxBatchPages+1)*PageSize)
			reseal(s, at[0], 0)
			return s
		}},
		{"huge payload", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			put32(s[at[0]+20:], 0xffffffff)
			reseal(s, at[0], 0)
			return s
		}},
		{"huge page set", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			put32(s[at[0]+12:], 0x80000000)
			reseal(s, at[0], 0)
			return s
		}},
		{"a frame twice", ErrDuplicate, func() []byte {
			s := append(bytes.Clone(stream[:at[1]]), first...)
			reseal(s, at[1], 1)
			return append(s, stream[at[1]:]...)
		}},
		{"a frame missing", ErrFormat, func() []byte {
			return append(bytes.Clone(stream[:at[0]]), stream[at[1]:]...)
		}},
		{"a page out of range", ErrPageRange, func() []byte {
			f := frame{kind: kindZero, codec: None, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{pages, 1}}), nil)...)
		}},
		{"a run that wraps", ErrPageRange, func() []byte {
			set := binary.AppendUvarint([]byte{setRuns}, 5)
			set = binary.AppendUvarint(set, 1<<64-5)
			f := frame{kind: kindZero, codec: None, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, set, nil)...)
		}},
		{"a bitmap out of range", ErrPageRange, func() []byte {
			set := append(binary.AppendUvarint([]byte{setBitmap}, 1<<63), 3)
			f := frame{kind: kindZero, codec: None, pages: 2}
			return append(stream[:at[0]:at[0]], seal(f, set, nil)...)
		}},
		{"fewer pages than announced", ErrFormat, func() []byte {
			f := frame{kind: kindZero, codec: None, pages: 2}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), nil)...)
		}},
		{"more pages than announced", ErrFormat, func() []byte {
			f := frame{kind: kindZero, codec: None, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 2}}), nil)...)
		}},
		{"s2 data of another length", ErrFormat, func() []byte {
			f := frame{kind: kindBatch, codec: S2, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), []byte{0xff, 0xff, 3, 0})...)
		}},
		{"zstd data that is none", ErrFormat, func() []byte {
			f := frame{kind: kindBatch, codec: Zstd, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), []byte("garbage"))...)
		}},
		{"zstd data that is longer", ErrFormat, func() []byte {
			zat := frames(t, zstream)
			h, _ := parseFrame((*[frameHdrLen]byte)(zstream[zat[0]:]), 0)
			payload := zstream[zat[0]+frameHdrLen+h.setLen : zat[1]]
			f := frame{kind: kindBatch, codec: Zstd, pages: 1, rawLen: PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), payload)...)
		}},
		{"other contents than announced", ErrDigest, func() []byte {
			f := frame{kind: kindBatch, codec: None, pages: 1, rawLen: PageSize, pageSum: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), mem[:PageSize])...)
		}},
		{"other bare contents than announced", ErrDigest, func() []byte {
			f := frame{kind: kindBatch, codec: None, bare: true, pages: 1, rawLen: PageSize, pageSum: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), mem[:PageSize])...)
		}},
		{"pages that were not offered", ErrFormat, func() []byte {
			f := frame{kind: kindBase, codec: None, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), nil)...)
		}},
		{"pages that would come later", ErrFormat, func() []byte {
			f := frame{kind: kindLater, codec: None, pages: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), nil)...)
		}},
		{"pages that would come later, with contents", ErrFormat, func() []byte {
			f := frame{kind: kindLater, codec: None, pages: 1, pageSum: 1}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 1}}), nil)...)
		}},
		{"equal pages at once", ErrFormat, func() []byte {
			return append(stream[:at[0]:at[0]], sealSame([]Run{{1, 1}}, 2)...)
		}},
		{"equal pages in a circle", ErrFormat, func() []byte {
			return sameRound(stream, at, sealSame([]Run{{1, 2}}, 2, 1))
		}},
		{"equal pages out of range", ErrPageRange, func() []byte {
			return sameRound(stream, at, sealSame([]Run{{1, 2}}, 7, pages))
		}},
		{"equal pages of too many numbers", ErrFormat, func() []byte {
			return sameRound(stream, at, sealSame([]Run{{1, 2}}, 7, 8, 9))
		}},
		{"equal pages that are not", ErrDigest, func() []byte {
			return sameRound(stream, at, sealSame([]Run{{1, 2}}, 7, 8))
		}},
		{"a difference with contents of codec none for another length", ErrFormat, func() []byte {
			f := frame{kind: kindDelta, codec: None, pages: 2, rawLen: 2 * PageSize}
			return append(stream[:at[0]:at[0]], seal(f, appendSet(nil, []Run{{1, 2}}), mem[:PageSize])...)
		}},
		{"end within a round", ErrFormat, func() []byte {
			s := append(bytes.Clone(stream[:at[len(at)-2]]), stream[end:]...)
			reseal(s, at[len(at)-2], uint32(len(at)-2))
			return s
		}},
		{"other counts", ErrFormat, func() []byte {
			s := bytes.Clone(stream)
			s[end+frameHdrLen+8]++
			reseal(s, end, uint32(len(at)-1))
			return s
		}},
		{"another digest", ErrDigest, func() []byte {
			s := bytes.Clone(stream)
			s[len(s)-1]++
			reseal(s, end, uint32(len(at)-1))
			return s
		}},
		{"altered page", ErrDigest, func() []byte {
			s := bytes.Clone(stream)
			s[at[1]-1]++
			reseal(s, at[0], 0)
			return s
		}},
		{"trailing byte", ErrTrailing, func() []byte { return append(bytes.Clone(stream), 0) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := receiveBytes(tt.build(), pages)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
		})
	}
	if err := receiveBytes(stream, pages); err != nil {
		t.Fatalf("the stream itself: %v", err)
	}
}

// seal makes a frame numbered 0 of its parts.
func seal(f frame, set, payload []byte) []byte {
	f.setLen, f.wireLen = len(set), len(payload)
	b := append(make([]byte, frameHdrLen), set...)
	b = append(b, payload...)
	f.bodySum = xxhash.Sum64(b[frameHdrLen:][:f.covered()])
	f.put(b)
	return b
}

// sealSame makes a frame of pages that are equal to others.
func sealSame(runs []Run, refs ...uint64) []byte {
	f := frame{kind: kindSame, codec: None, pageSum: 7}
	for _, r := range runs {
		f.pages += int(r.Count)
	}
	payload := appendRefs(nil, refs)
	f.rawLen = len(payload)
	return seal(f, appendSet(nil, runs), payload)
}

// sameRound puts a frame behind the first round of a stream, whose frames begin at at.
func sameRound(stream []byte, at []int, f []byte) []byte {
	last := len(at) - 1
	s := append(bytes.Clone(stream[:at[last]]), f...)
	reseal(s, at[last], uint32(last))
	return s
}

// testNoise returns pages that no codec shrinks, so that frames have codec none.
func testNoise(pages int) []byte {
	mem := make([]byte, pages*PageSize)
	x := uint64(1)
	for at := 0; at < len(mem); at += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.LittleEndian.PutUint64(mem[at:], x)
	}
	return mem
}

// A file that was written before there were planes and bare contents can still be read.
func TestReadsAnOlderStream(t *testing.T) {
	mem := testMemory(30, 5)
	stream, _, _ := encode(t, mem, Options{Compress: None})
	stream[8] = oldestVersion
	binary.LittleEndian.PutUint64(stream[24:], xxhash.Sum64(stream[:24]))
	for seq, at := range frames(t, stream) {
		f, err := parseFrame((*[frameHdrLen]byte)(stream[at:]), uint32(seq))
		if err != nil {
			t.Fatal(err)
		}
		if f.bare = false; f.bodyLen() > 0 {
			f.bodySum = xxhash.Sum64(stream[at+frameHdrLen:][:f.bodyLen()])
		}
		f.put(stream[at:])
	}
	got := make([]byte, len(mem))
	if _, _, err := Receive(context.Background(), bytes.NewReader(stream), got, nil); err != nil || !bytes.Equal(got, mem) {
		t.Error(err)
	}
}

// Without ToEOF the receiver leaves what follows for others.
func TestReadsNothingBehindTheEnd(t *testing.T) {
	mem := testMemory(300, 5)
	stream, _, _ := encode(t, mem, Options{Compress: S2})
	r := bytes.NewReader(append(stream, "next"...))
	if _, _, err := Receive(context.Background(), r, make([]byte, len(mem)), nil); err != nil {
		t.Fatal(err)
	}
	if r.Len() != len("next") {
		t.Fatalf("%d bytes left, want %d", r.Len(), len("next"))
	}
}

func FuzzReceive(f *testing.F) {
	const pages = 6
	for seed := range uint64(3) {
		mem := testMemory(pages, seed)
		for _, codec := range []Codec{None, S2, Zstd} {
			stream, _, _ := encode(f, mem, Options{Compress: codec})
			f.Add(stream)
		}
	}
	f.Add(everyKind(f, pages))
	f.Fuzz(func(t *testing.T, stream []byte) {
		// Checksums are made right where possible, so that what is behind them is reached.
		stream = bytes.Clone(stream)
		if len(stream) >= streamHdrLen {
			binary.LittleEndian.PutUint64(stream[24:], xxhash.Sum64(stream[:24]))
		}
		for at, seq := streamHdrLen, uint32(0); at+frameHdrLen <= len(stream); seq++ {
			reseal(stream, at, seq)
			fr, err := parseFrame((*[frameHdrLen]byte)(stream[at:]), seq)
			if err != nil {
				break
			}
			at += frameHdrLen + fr.bodyLen()
		}
		mem := make([]byte, pages*PageSize)
		copy(mem, testNoise(2))
		opt := ReceiveOptions{Workers: 1, Base: NewOffer(mem, false, nil), Later: NewBitmap(pages)}
		_, digest, err := ReceiveWith(context.Background(), bytes.NewReader(stream), mem, opt)
		if err == nil && digest != Digest(mem) {
			t.Fatal("accepted with a digest that is not memory's")
		}
	})
}

// everyKind is a stream that has a frame of each kind, to a memory that begins with noise.
func everyKind(t testing.TB, pages uint64) []byte {
	t.Helper()
	mem := make([]byte, pages*PageSize)
	base := bytes.Clone(mem)
	copy(base, testNoise(2))
	copy(mem, base[:PageSize])                                  // offered
	copy(mem[2*PageSize:5*PageSize], testNoise(5)[2*PageSize:]) // whole, as planes
	for at := 2 * PageSize; at < 5*PageSize; at += wordSize {
		clear(mem[at+5 : at+wordSize])
	}
	copy(mem[5*PageSize:], mem[2*PageSize:][:PageSize]) // the same
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: S2, Base: NewOffer(base, false, nil), Again: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	change := func(pages ...uint64) Bitmap {
		set := NewBitmap(s.pages)
		for _, p := range pages {
			set.Set(p)
		}
		return set
	}
	err = s.Round(ctx, nil)
	for range 3 { // from the third time on a page is sent as a difference
		mem[2*PageSize+100]++
		err = errors.Join(err, s.Round(ctx, change(2)))
	}
	clear(mem[3*PageSize:][:PageSize])
	err = errors.Join(err, s.Round(ctx, change(3)))
	err = errors.Join(err, s.Later(ctx, change(4)))
	stats, _, err2 := s.End(ctx)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if stats.Base == 0 || stats.Same == 0 || stats.Delta == 0 || stats.Later == 0 || stats.Sent == 0 {
		t.Fatalf("not every kind: %+v", stats)
	}
	return stream.Bytes()
}
