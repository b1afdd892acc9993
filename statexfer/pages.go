package statexfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// A PageWriter writes pages in any order, each frame by itself: what post-copy needs. It is for
// one goroutine; memory must not change.
type PageWriter struct {
	w     io.Writer
	mem   []byte
	codec Codec
	enc   compressor
	seq   uint32
	out   []byte
	raw   []byte
	stats Stats
}

// NewPageWriter writes pages of mem. Auto is s2 here: a page that somebody waits for must not
// wait for a slow compressor, and what does not shrink is sent as it is.
func NewPageWriter(w io.Writer, mem []byte, codec Codec) *PageWriter {
	if codec == Auto {
		codec = S2
	}
	return &PageWriter{w: w, mem: mem, codec: codec, stats: Stats{Codec: codec, Pages: uint64(len(mem)) / PageSize}}
}

// Stats says what was written.
func (p *PageWriter) Stats() Stats { return p.stats }

// Close frees buffers.
func (p *PageWriter) Close() { p.enc.close() }

// MaxPages is how many pages one Write takes.
const MaxPages = maxBatchPages

// Write writes pages, which rise, and returns in how many frames. Their hashes go to leaves, by
// page number.
func (p *PageWriter) Write(pages []uint64, leaves []uint64) (frames int, err error) {
	var data, zero pageList
	p.raw = p.raw[:0]
	for _, n := range pages {
		page := p.mem[n*PageSize:][:PageSize]
		if isZero(page) {
			leaves[n] = zeroLeaf
			zero.add(n, zeroLeaf)
			continue
		}
		leaves[n] = leafOf(page)
		data.add(n, leaves[n])
		p.raw = append(p.raw, page...)
	}
	b := outBatch{out: p.out[:0]}
	b.frame(frame{kind: kindZero, codec: None}, zero, nil)
	if len(data.leaves) > 0 {
		if err := b.compressed(frame{kind: kindBatch}, data, p.raw, &p.enc, p.enc.look(p.raw).with(p.codec)); err != nil {
			return 0, err
		}
	}
	p.out = b.out
	at := 0
	for _, f := range b.frames {
		f.seq = p.seq
		p.seq++
		f.put(b.out[at:])
		at += frameHdrLen + f.bodyLen()
		p.stats.count(&f)
	}
	n, err := p.w.Write(b.out)
	p.stats.WireBytes += uint64(n)
	if err != nil {
		return 0, fmt.Errorf("send pages: %w", err)
	}
	return len(b.frames), nil
}

// A PageReader reads what a PageWriter writes. It is for one goroutine.
type PageReader struct {
	r      io.Reader
	pages  uint64
	zstd   *zstd.Decoder
	seq    uint32
	offset uint64
	body   []byte
	raw    []byte
	planes []byte
	runs   []Run
	leaves []uint64
}

// NewPageReader reads pages of a memory of that many.
func NewPageReader(r io.Reader, pages uint64) (*PageReader, error) {
	dec, err := newZstdDecoder(1)
	if err != nil {
		return nil, fmt.Errorf("start zstd: %w", err)
	}
	return &PageReader{r: r, pages: pages, zstd: dec}, nil
}

// Close frees buffers.
func (p *PageReader) Close() { p.zstd.Close() }

// Pages are what a frame brought: which, their hashes in order, and their contents, nil for
// zeros. They are valid until the next Read.
type Pages struct {
	Runs   []Run
	Leaves []uint64
	Data   []byte
}

// Read returns the next pages, checked to be what the writer had. At the end of the stream it
// returns io.EOF.
func (p *PageReader) Read() (Pages, error) {
	pages, err := p.read()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("receive pages: %w", locate(err, p.seq, p.offset))
	}
	return pages, err
}

func (p *PageReader) read() (Pages, error) {
	var hdr [frameHdrLen]byte
	if _, err := io.ReadFull(p.r, hdr[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = bad(ErrTruncated, "within a frame header")
		}
		return Pages{}, err
	}
	f, err := parseFrame(&hdr, p.seq)
	if err != nil {
		return Pages{}, err
	}
	if f.kind != kindBatch && f.kind != kindZero {
		return Pages{}, bad(ErrFormat, "kind %d among pages", f.kind)
	}
	if p.body == nil {
		p.body, p.raw = make([]byte, maxSetLen+maxRaw), make([]byte, maxRaw)
		p.leaves = make([]uint64, 0, maxBatchPages)
	}
	body := p.body[:f.bodyLen()]
	if _, err := io.ReadFull(p.r, body); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = bad(ErrTruncated, "within a frame")
		}
		return Pages{}, err
	}
	if xxhash.Sum64(body[:f.covered()]) != f.bodySum {
		return Pages{}, bad(ErrChecksum, "body")
	}
	if p.runs, err = parseSet(body[:f.setLen], p.runs, f.pages, p.pages); err != nil {
		return Pages{}, err
	}
	out := Pages{Runs: p.runs}
	p.leaves = p.leaves[:0]
	if f.kind == kindBatch {
		out.Data = p.raw[:f.rawLen]
		if err := decompress(p.zstd, &f, out.Data, body[f.setLen:], &p.planes); err != nil {
			return Pages{}, err
		}
	}
	for i := range f.pages {
		leaf := zeroLeaf
		if out.Data != nil {
			leaf = leafOf(out.Data[i*PageSize:][:PageSize])
		}
		p.leaves = append(p.leaves, leaf)
	}
	if out.Leaves = p.leaves; sumLeaves(p.leaves) != f.pageSum {
		return Pages{}, bad(ErrDigest, "pages from %d on", p.runs[0].First)
	}
	p.seq++
	p.offset += uint64(frameHdrLen + len(body))
	return out, nil
}

// DigestOf returns the digest of a memory whose pages have these hashes.
func DigestOf(leaves []uint64) [32]byte {
	digest, _ := digesterOf(leaves).sum()
	return digest
}

// AppendBitmap appends a set in the form that ParseBitmap reads: uvarint pairs of pages skipped
// and pages in the run.
func AppendBitmap(b []byte, set Bitmap, pages uint64) []byte {
	end := uint64(0)
	for p := set.next(0, pages); p < pages; {
		first := p
		for p < pages && set.Has(p) {
			p++
		}
		b = binary.AppendUvarint(b, first-end)
		b = binary.AppendUvarint(b, p-first)
		end = p
		p = set.next(p, pages)
	}
	return b
}

// ParseBitmap reads a set for a memory of that many pages.
func ParseBitmap(b []byte, pages uint64) (Bitmap, error) {
	set := NewBitmap(pages)
	for end := uint64(0); len(b) > 0; {
		skip, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, bad(ErrFormat, "set of pages: bad number")
		}
		b = b[n:]
		count, n := binary.Uvarint(b)
		if n <= 0 || count == 0 {
			return nil, bad(ErrFormat, "set of pages: bad run")
		}
		b = b[n:]
		if skip > pages-end || count > pages-end-skip {
			return nil, bad(ErrPageRange, "region has %d pages", pages)
		}
		end += skip
		for range count {
			set.Set(end)
			end++
		}
	}
	return set, nil
}
