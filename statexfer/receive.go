package statexfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// A receiver reads one transfer. One goroutine reads and checks frames; workers decompress
// them straight into place.
type receiver struct {
	r      io.Reader
	mem    []byte
	opt    ReceiveOptions
	pages  uint64
	digest *digester
	zstd   *zstd.Decoder

	pool    chan *inBatch
	todo    chan *inBatch
	pending sync.WaitGroup // batches given to workers

	stats    Stats
	scratch  scratch // of the goroutine that reads
	seq      uint32  // of the next frame
	offset   uint64  // of the frame under way
	seen     Bitmap  // pages that came in this round
	open     bool    // frames have come in this round
	others   bool    // frames other than of equal pages have
	named    Bitmap  // pages that others are said to be equal to in this round; may be nil
	reported time.Time
	laterMu  sync.Mutex // of opt.Later and awaited
	awaited  bool       // some pages come later
}

// An inBatch is a frame on its way in.
type inBatch struct {
	frame  frame
	offset uint64
	runs   []Run
	refs   []uint64 // of equal pages
	body   []byte   // page set and payload; the set alone, where the payload is bare
}

// ReceiveWith is Receive with options.
func ReceiveWith(ctx context.Context, r io.Reader, mem []byte, opt ReceiveOptions) (Stats, [32]byte, error) {
	if len(mem)%PageSize != 0 || uint64(len(mem))/PageSize > maxPages {
		return Stats{}, [32]byte{}, fmt.Errorf("receive %d bytes of memory: %w", len(mem), ErrGeometry)
	}
	if opt.Workers <= 0 {
		opt.Workers = defaultWorkers()
	}
	opt.Workers = min(opt.Workers, maxWorkers)
	dec, err := newZstdDecoder(opt.Workers)
	if err != nil {
		return Stats{}, [32]byte{}, fmt.Errorf("start zstd: %w", err)
	}
	defer dec.Close()
	pages := uint64(len(mem)) / PageSize
	if opt.Base != nil && uint64(len(opt.Base.leaves)) != pages {
		return Stats{}, [32]byte{}, fmt.Errorf("receive memory: an offer of %d pages for %d: %w", len(opt.Base.leaves), pages, ErrGeometry)
	}
	rc := &receiver{
		r: r, mem: mem, opt: opt, pages: pages, zstd: dec,
		stats: Stats{Pages: pages},
		pool:  make(chan *inBatch, opt.Workers+2), // one being read, one to hand over
		todo:  make(chan *inBatch),
	}
	digest, err := rc.run(ctx)
	if err != nil {
		return rc.stats, [32]byte{}, fmt.Errorf("receive memory: %w", err)
	}
	return rc.stats, digest, nil
}

// run reads the whole transfer. When it returns nothing touches memory any more.
func (rc *receiver) run(outer context.Context) (digest [32]byte, err error) {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	defer interrupt(ctx, readDeadline(rc.r))()

	if err := rc.begin(ctx); err != nil {
		return digest, err
	}
	// Only now, after the sender has shown that it knows this memory's size.
	rc.digest = newDigester(rc.pages)
	if rc.opt.Base != nil {
		rc.digest = digesterOf(slices.Clone(rc.opt.Base.leaves))
	}
	rc.seen = NewBitmap(rc.pages)
	for range cap(rc.pool) {
		rc.pool <- &inBatch{}
	}
	var workers sync.WaitGroup
	for range rc.opt.Workers {
		workers.Go(func() { rc.work(cancel) })
	}
	digest, err = rc.frames(ctx)
	close(rc.todo)
	workers.Wait()
	// Where a worker failed or ctx ended, that is why reading stopped.
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return digest, err
}

// begin reads and checks the stream header.
func (rc *receiver) begin(ctx context.Context) error {
	var hdr [streamHdrLen]byte
	if err := rc.read(ctx, hdr[:]); err != nil {
		return rc.at(err)
	}
	codec, pages, err := parseStreamHeader(&hdr)
	if err == nil && pages != rc.pages {
		err = bad(ErrGeometry, "%d pages, here %d", pages, rc.pages)
	}
	if err != nil {
		return rc.at(err)
	}
	rc.stats.Codec = codec
	return nil
}

// frames reads frames to the end of the transfer.
func (rc *receiver) frames(ctx context.Context) (digest [32]byte, err error) {
	for {
		rc.offset = rc.stats.WireBytes
		var hdr [frameHdrLen]byte
		if err := rc.read(ctx, hdr[:]); err != nil {
			return digest, rc.at(err)
		}
		f, err := parseFrame(&hdr, rc.seq)
		if err != nil {
			return digest, rc.at(err)
		}
		switch f.kind {
		default:
			err = rc.take(ctx, f)
		case kindRound:
			err = rc.endRound(ctx)
		case kindEnd:
			return rc.end(ctx, f)
		}
		if err != nil {
			return digest, rc.at(err)
		}
		rc.seq++
		rc.report(false)
	}
}

// take reads the body of a frame with pages, checks it and gives it to a worker.
func (rc *receiver) take(ctx context.Context, f frame) error {
	var b *inBatch
	select {
	case b = <-rc.pool:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	body := b.room(f.covered())
	if err := rc.read(ctx, body); err != nil {
		return err
	}
	if xxhash.Sum64(body) != f.bodySum {
		return bad(ErrChecksum, "body")
	}
	runs, err := parseSet(body[:f.setLen], b.runs, f.pages, rc.pages)
	if err != nil {
		return err
	}
	for _, r := range runs {
		for p := r.First; p < r.First+r.Count; p++ {
			if rc.seen.Has(p) {
				return bad(ErrDuplicate, "page %d", p)
			}
			rc.seen.Set(p)
		}
	}
	rc.open = true
	if f.kind == kindSame {
		if b.refs, err = rc.parseSame(body[f.setLen:], b.refs, f.pages); err != nil {
			return err
		}
	} else {
		rc.others = true
	}
	for i, w := range rc.named {
		if w&rc.seen[i] != 0 {
			return bad(ErrFormat, "a page is equal to one that is equal to another")
		}
	}
	if f.kind == kindLater && rc.opt.Later == nil {
		return bad(ErrFormat, "pages that would come later")
	}
	if f.bare { // straight into place: should it not be what the sender had, all of memory is not
		for _, r := range runs {
			if err := rc.read(ctx, r.bytes(rc.mem)); err != nil {
				return err
			}
		}
	}
	rc.stats.count(&f)
	b.frame, b.runs, b.offset = f, runs, rc.offset
	if f.pages <= FewPages { // sooner done than given away
		err := rc.place(b, &rc.scratch)
		rc.pool <- b
		return err
	}
	rc.pending.Add(1)
	select {
	case rc.todo <- b:
		return nil
	case <-ctx.Done():
		rc.pending.Done()
		return context.Cause(ctx)
	}
}

// room returns n bytes for the body of a frame. One of bare contents needs few.
func (b *inBatch) room(n int) []byte {
	if len(b.body) < n {
		size := maxSetLen
		if n > size {
			size += maxRaw
		}
		b.body = make([]byte, size)
	}
	return b.body[:n]
}

// parseSame reads which pages those of a frame are equal to. No other frames may be in its
// round: the pages that it names are then those of earlier rounds, and in place.
func (rc *receiver) parseSame(b []byte, refs []uint64, count int) ([]uint64, error) {
	refs, err := parseRefs(b, refs, count, rc.pages)
	if err != nil {
		return nil, err
	}
	if rc.others || rc.stats.Rounds == 0 {
		return nil, bad(ErrFormat, "equal pages among others")
	}
	if rc.named == nil {
		rc.named = NewBitmap(rc.pages)
	}
	for _, ref := range refs {
		rc.named.Set(ref)
	}
	return refs, nil
}

// endRound waits until all pages of a round are in place, as those of the next may replace
// them.
func (rc *receiver) endRound(ctx context.Context) error {
	rc.pending.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	rc.stats.Rounds++
	if rc.stats.Rounds == 1 && rc.opt.Base != nil {
		rc.dropBase()
	}
	if rc.open {
		clear(rc.seen)
		rc.named = nil
		rc.open, rc.others = false, false
	}
	if rc.opt.Round != nil {
		if err := rc.opt.Round(rc.stats.Rounds); err != nil {
			return err
		}
	}
	rc.digest.sum() // so that little is left to do at the end
	return nil
}

// dropBase makes those pages zero that were offered and that the first round did not name.
func (rc *receiver) dropBase() {
	for p, leaf := range rc.opt.Base.leaves {
		if leaf != zeroLeaf && !rc.seen.Has(uint64(p)) {
			rc.clear(Run{uint64(p), 1})
		}
	}
}

// end checks the sender's account of the transfer.
func (rc *receiver) end(ctx context.Context, f frame) (digest [32]byte, err error) {
	var body [endLen]byte
	counts := rc.stats // WireBytes is what came before the end frame
	counts.WireBytes = rc.offset
	if err := rc.read(ctx, body[:]); err != nil {
		return digest, rc.at(err)
	}
	if xxhash.Sum64(body[:]) != f.bodySum {
		return digest, rc.at(bad(ErrChecksum, "body"))
	}
	if rc.open {
		return digest, rc.at(bad(ErrFormat, "transfer ends within a round"))
	}
	if rc.opt.Base != nil && rc.stats.Rounds == 0 {
		return digest, rc.at(bad(ErrFormat, "transfer without a round"))
	}
	digest, counts.Zero = rc.digest.sum()
	if err := checkEnd(body[:], counts, digest); err != nil {
		return digest, rc.at(err)
	}
	rc.stats.Zero = counts.Zero
	if rc.opt.ToEOF {
		rc.offset, rc.seq = rc.stats.WireBytes, rc.seq+1
		var one [1]byte
		switch _, err := io.ReadFull(rc.r, one[:]); {
		case err == nil:
			return digest, rc.at(bad(ErrTrailing, "byte %#02x", one[0]))
		case !errors.Is(err, io.EOF):
			return digest, rc.at(rc.readError(ctx, err))
		}
	}
	if rc.opt.Leaves != nil {
		if err := rc.opt.Leaves(rc.digest.leaves); err != nil {
			return digest, err
		}
	}
	rc.report(true)
	return digest, nil
}

// work places batches until there are no more. After a failure it only gives them back.
func (rc *receiver) work(fail context.CancelCauseFunc) {
	var scratch scratch
	for b := range rc.todo {
		if err := rc.place(b, &scratch); err != nil {
			fail(locate(err, b.frame.seq, b.offset))
		}
		rc.pool <- b
		rc.pending.Done()
	}
}

// clear makes the pages of a run zero. What is zero already is not touched, so that it need
// not be allocated.
func (rc *receiver) clear(r Run) {
	for p := r.First; p < r.First+r.Count; p++ {
		if rc.digest.leaves[p] != zeroLeaf {
			clear(Run{p, 1}.bytes(rc.mem))
		}
	}
	rc.digest.setZero(r)
}

// read fills p.
func (rc *receiver) read(ctx context.Context, p []byte) error {
	n, err := io.ReadFull(rc.r, p)
	rc.stats.WireBytes += uint64(n)
	if err != nil {
		return rc.readError(ctx, err)
	}
	return nil
}

// readError says why a read failed.
func (rc *receiver) readError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return bad(ErrTruncated, "after %d bytes", rc.stats.WireBytes)
	}
	return err
}

// at adds the place in the stream to an error about its content.
func (rc *receiver) at(err error) error { return locate(err, rc.seq, rc.offset) }

func locate(err error, seq uint32, offset uint64) error {
	var m *malformed
	if errors.As(err, &m) {
		return &StreamError{Frame: seq, Offset: offset, Detail: m.detail, Err: m.err}
	}
	return err
}

// report calls Progress if it is time, or in any case.
func (rc *receiver) report(always bool) {
	if rc.opt.Progress == nil {
		return
	}
	if now := time.Now(); always || now.Sub(rc.reported) >= progressEvery {
		rc.reported = now
		rc.opt.Progress(rc.stats)
	}
}
