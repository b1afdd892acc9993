package statexfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// maxWorkers bounds memory: a worker has about 5 MiB of buffers with its share of the pool.
const maxWorkers = 4

func defaultWorkers() int { return min(runtime.GOMAXPROCS(0), maxWorkers) }

// progressEvery is how often Progress is called at most.
const progressEvery = 100 * time.Millisecond

// maxWrite bounds one call of Write, so that on a slow link a writer with a time limit still
// sees progress, bytes.
const maxWrite = 64 << 10

// A Sender writes one transfer: rounds, and an end. It is used by one goroutine.
type Sender struct {
	w      io.Writer
	limit  *limiter // nil: no limit
	mem    []byte
	opt    Options
	pages  uint64
	choose *chooser
	enc    []*compressor
	pool   chan *outBatch
	delta  *deltaCache
	parts  partTable

	// What the receiver has, or will have when it has read what is under way.
	mu     sync.Mutex // while workers run
	digest *digester
	finder *sameFinder
	same   []samePage // found in this round
	later  Bitmap     // pages left to post-copy

	stats    Stats
	zero     atomic.Uint64 // zero pages that the first round left out
	seq      uint32        // of the next frame
	started  bool          // the stream header is written
	err      error         // why the stream is broken
	reported time.Time     // last call of Progress
}

// NewSender prepares a transfer of mem, whole pages. Nothing is written yet.
func NewSender(w io.Writer, mem []byte, opt Options) (*Sender, error) {
	if len(mem)%PageSize != 0 || uint64(len(mem))/PageSize > maxPages {
		return nil, fmt.Errorf("send %d bytes of memory: %w", len(mem), ErrGeometry)
	}
	if opt.Compress > Zstd {
		return nil, fmt.Errorf("send memory: unknown %v", opt.Compress)
	}
	pages := uint64(len(mem)) / PageSize
	if opt.Base != nil && uint64(len(opt.Base.leaves)) != pages {
		return nil, fmt.Errorf("send memory: an offer of %d pages for %d: %w", len(opt.Base.leaves), pages, ErrGeometry)
	}
	if opt.Workers <= 0 {
		opt.Workers = defaultWorkers()
	}
	opt.Workers = min(opt.Workers, maxWorkers)
	s := &Sender{
		w: w, mem: mem, opt: opt, pages: pages,
		digest: newDigester(pages),
		choose: newChooser(opt.Compress, opt.Workers),
		finder: newSameFinder(pages),
		delta:  newDeltaCache(),
		stats:  Stats{Pages: pages, Codec: opt.Compress},
	}
	if opt.Again && opt.Compress != None {
		s.parts = newPartTable(pages)
	}
	if opt.Bandwidth > 0 {
		s.limit = &limiter{w: w, pace: NewPace(opt.Bandwidth)}
	}
	for range opt.Workers {
		s.enc = append(s.enc, &compressor{})
	}
	// One for each worker, one each for scanner and writer, and one to hand over.
	s.pool = make(chan *outBatch, opt.Workers+3)
	for range cap(s.pool) {
		s.pool <- &outBatch{}
	}
	return s, nil
}

// Stats returns what was sent until now.
func (s *Sender) Stats() Stats {
	st := s.stats
	st.Zero = max(st.Zero, s.zero.Load())
	return st
}

// Leaves returns the hash of each page as it was sent last. It is not to be changed.
func (s *Sender) Leaves() []uint64 { return s.digest.leaves }

// Close frees buffers. The writer stays open.
func (s *Sender) Close() {
	for _, c := range s.enc {
		c.close()
	}
	s.enc, s.pool, s.delta, s.parts.pages, s.finder = nil, nil, nil, nil, nil
}

// Round sends the pages of set, or all for nil, and returns when w has taken them. The guest
// may run meanwhile: a page that it changes must be in a later round's set. Pages that the
// receiver has as they are, are left out. After an error the transfer is over.
func (s *Sender) Round(ctx context.Context, set Bitmap) error {
	if s.err != nil {
		return s.err
	}
	if err := s.round(ctx, set); err != nil {
		s.err = fmt.Errorf("send memory: %w", err)
	}
	return s.err
}

func (s *Sender) round(ctx context.Context, set Bitmap) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer interrupt(ctx, writeDeadline(s.w))()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.pass(ctx, cancel, set); err != nil {
		return err
	}
	// Equal pages come when those are in place that they are equal to. Where one of these has
	// changed meanwhile, the other is looked at again.
	for len(s.same) > 0 {
		rest, err := s.writeSame(ctx)
		if err == nil && rest != nil {
			err = s.pass(ctx, cancel, rest)
		}
		if err != nil {
			return err
		}
	}
	s.digest.sum() // so that little is left to do at the end
	s.report(true)
	return nil
}

// pass sends the pages of a set and closes the round on the wire.
func (s *Sender) pass(ctx context.Context, cancel context.CancelFunc, set Bitmap) error {
	s.choose.begin(s.count(set), s.stats.Rounds > 0)
	if s.isFew(set) {
		if err := s.passFew(ctx, set); err != nil {
			return err
		}
		return s.endRound(ctx)
	}
	todo := make(chan *outBatch)
	ready := make(chan *outBatch, cap(s.pool))
	go s.scan(ctx, set, todo)
	var workers sync.WaitGroup
	for _, enc := range s.enc {
		workers.Go(func() {
			for b := range todo {
				b.err = s.fill(b, enc)
				ready <- b // has room for all there are
			}
		})
	}
	go func() {
		workers.Wait()
		close(ready)
	}()

	var failed error
	for b := range ready {
		if failed == nil {
			if failed = s.writeBatch(ctx, b); failed != nil {
				cancel() // and go on until scanner and workers have stopped
			}
		}
		s.pool <- b
	}
	if failed == nil {
		failed = context.Cause(ctx) // the scanner may have given up without a write failing
	}
	if failed != nil {
		return failed
	}
	return s.endRound(ctx)
}

// FewPages are sent sooner by one goroutine than others are woken for them: they take no longer than a round
// without any.
const FewPages = 16

func (s *Sender) isFew(set Bitmap) bool { return set != nil && s.count(set) <= FewPages }

// passFew sends the pages of a set that has few: one batch of data at most, and one of zero pages.
func (s *Sender) passFew(ctx context.Context, set Bitmap) (err error) {
	todo := make(chan *outBatch, 2)
	s.scan(ctx, set, todo)
	for b := range todo {
		if err == nil {
			b.err = s.fill(b, s.enc[0])
			err = s.writeBatch(ctx, b)
		}
		s.pool <- b
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// count returns how many pages a set has at most; nil has all.
func (s *Sender) count(set Bitmap) uint64 {
	if set == nil {
		return s.pages
	}
	return set.Count()
}

// batchPages is how many pages of a set go together. Few are spread over the workers, several
// times each, so that the writer need not wait for all of them.
func (s *Sender) batchPages(set Bitmap) int {
	if s.isFew(set) {
		return FewPages
	}
	each := s.count(set) / uint64(4*len(s.enc))
	return int(min(max(each, minBatchPages), maxBatchPages))
}

func (s *Sender) endRound(ctx context.Context) error {
	s.stats.Rounds++
	return s.writeFrame(ctx, frame{kind: kindRound, codec: None}, make([]byte, frameHdrLen), nil)
}

// writeSame names the pages that are equal to others, as a round of its own. It returns those
// whose other page has changed meanwhile, or is itself among those that change in this round.
func (s *Sender) writeSame(ctx context.Context) (rest Bitmap, err error) {
	changing := NewBitmap(s.pages)
	for _, p := range s.same {
		changing.Set(p.page)
	}
	named := s.same[:0]
	for _, p := range s.same {
		if s.digest.leaves[p.ref] == p.leaf && !changing.Has(p.ref) {
			named = append(named, p)
			continue
		}
		if rest == nil {
			rest = NewBitmap(s.pages)
		}
		rest.Set(p.page)
	}
	s.same = s.same[:0]
	if len(named) == 0 {
		return rest, nil
	}
	for part := range slices.Chunk(named, maxBatchPages) {
		f := frame{kind: kindSame, codec: None}
		var l pageList
		var refs []uint64
		for _, p := range sortPages(part) {
			l.add(p.page, p.leaf)
			refs = append(refs, p.ref)
			s.digest.put(p.page, p.leaf)
			s.come(p.page)
		}
		f.pages, f.pageSum = len(refs), sumLeaves(l.leaves)
		if err := s.writeNamed(ctx, f, l.runs, appendRefs(nil, refs)); err != nil {
			return nil, err
		}
	}
	return rest, s.endRound(ctx)
}

// writeNamed writes a frame that names pages and carries none of their contents.
func (s *Sender) writeNamed(ctx context.Context, f frame, runs []Run, payload []byte) error {
	out := appendSet(make([]byte, frameHdrLen), runs)
	f.setLen = len(out) - frameHdrLen
	out = append(out, payload...)
	f.rawLen, f.wireLen = len(payload), len(payload)
	f.bodySum = xxhash.Sum64(out[frameHdrLen:])
	if err := s.writeFrame(ctx, f, out, nil); err != nil {
		return err
	}
	s.stats.count(&f)
	return nil
}

// Later names the pages of a set, as a round of its own, that are left to post-copy: for the
// digest they are zero. Those that a later round sends are not left any more. What was named and not
// sent since is not named again.
func (s *Sender) Later(ctx context.Context, set Bitmap) error {
	if s.err != nil {
		return s.err
	}
	if err := s.writeLater(ctx, set); err != nil {
		s.err = fmt.Errorf("send memory: %w", err)
	}
	return s.err
}

// End finishes the transfer with the sender's counts and digest. The memory must not have
// changed since the last round that sent it, but for pages that are left to post-copy.
func (s *Sender) End(ctx context.Context) (Stats, [32]byte, error) {
	var digest [32]byte
	if s.err == nil {
		var err error
		if digest, err = s.end(ctx); err != nil {
			s.err = fmt.Errorf("send memory: %w", err)
		}
	}
	if s.err != nil {
		return s.Stats(), [32]byte{}, s.err
	}
	s.err = errors.New("send memory: the transfer has ended")
	return s.stats, digest, nil
}

func (s *Sender) end(ctx context.Context) (digest [32]byte, err error) {
	defer interrupt(ctx, writeDeadline(s.w))()
	if err := s.start(ctx); err != nil {
		return digest, err
	}
	digest, zero := s.digest.sum()
	s.stats.Zero = zero
	s.zero.Store(zero)
	f := frame{kind: kindEnd, codec: None, rawLen: endLen, wireLen: endLen}
	out := appendEnd(make([]byte, frameHdrLen), s.stats, digest)
	f.bodySum = xxhash.Sum64(out[frameHdrLen:])
	if err := s.writeFrame(ctx, f, out, nil); err != nil {
		return digest, err
	}
	s.report(true)
	return digest, nil
}

// writeLater names the pages of a set. A frame names as many as its page set holds.
func (s *Sender) writeLater(ctx context.Context, set Bitmap) error {
	defer interrupt(ctx, writeDeadline(s.w))()
	if err := s.start(ctx); err != nil {
		return err
	}
	set = slices.Clone(set)
	if s.later == nil {
		s.later = NewBitmap(s.pages)
	}
	set.Remove(s.later)
	s.later.Add(set)
	named := false
	for p := set.next(0, s.pages); p < s.pages; named = true {
		var runs []Run
		f := frame{kind: kindLater, codec: None}
		for first := p; p < s.pages && fitsSet(runs, first, p); f.pages++ {
			runs = appendPage(runs, p)
			p = set.next(p+1, s.pages)
		}
		for _, r := range runs {
			s.digest.setZero(r)
		}
		if err := s.writeNamed(ctx, f, runs, nil); err != nil {
			return err
		}
	}
	if !named {
		return nil
	}
	if err := s.endRound(ctx); err != nil {
		return err
	}
	s.digest.sum()
	return nil
}

// come notes that a page is sent that was to come by post-copy.
func (s *Sender) come(page uint64) {
	if s.later.Has(page) {
		s.later.Clear(page)
	}
}

// start writes the stream header, once.
func (s *Sender) start(ctx context.Context) error {
	if s.started {
		return nil
	}
	s.started = true
	return s.write(ctx, appendStreamHeader(nil, s.opt.Compress, s.pages))
}

// writeBatch writes the frames of a batch.
func (s *Sender) writeBatch(ctx context.Context, b *outBatch) error {
	if b.err != nil {
		return b.err
	}
	out := b.out
	for i, f := range b.frames {
		n := frameHdrLen + f.bodyLen()
		var apart []byte
		if i == len(b.frames)-1 {
			apart = b.apart
		}
		begin := time.Now()
		if err := s.writeFrame(ctx, f, out[:n-len(apart)], apart); err != nil {
			return err
		}
		s.stats.count(&f)
		if f.kind == kindBatch {
			now := time.Now()
			s.choose.wrote(b.asked, f.rawLen, n, now.Sub(begin), now)
		}
		out = out[n-len(apart):]
	}
	s.report(false)
	return nil
}

// count adds a frame's pages to the account, on both sides alike.
func (st *Stats) count(f *frame) {
	pages := uint64(f.pages)
	switch f.kind {
	case kindBatch:
		st.Sent += pages
	case kindDelta, kindParts:
		st.Delta += pages
	case kindBase:
		st.Base += pages
	case kindSame:
		st.Same += pages
	case kindLater:
		st.Later += pages
	}
	if f.kind.hasContents() {
		st.RawBytes += uint64(f.rawLen)
		st.By[f.codec] += uint64(f.rawLen)
		st.Batches++
	}
}

// writeFrame numbers a frame and writes it. out begins with room for the header.
func (s *Sender) writeFrame(ctx context.Context, f frame, out, apart []byte) error {
	f.seq = s.seq
	f.put(out)
	s.seq++
	if err := s.write(ctx, out); err != nil {
		return err
	}
	return s.write(ctx, apart)
}

func (s *Sender) write(ctx context.Context, p []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for len(p) > 0 {
		part := p[:min(len(p), maxWrite)]
		var n int
		var err error
		if s.limit != nil {
			n, err = s.limit.write(ctx, part)
		} else {
			n, err = s.w.Write(part)
		}
		s.stats.WireBytes += uint64(n)
		p = p[n:]
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// report calls Progress if it is time, or in any case.
func (s *Sender) report(always bool) {
	if s.opt.Progress == nil {
		return
	}
	if now := time.Now(); always || now.Sub(s.reported) >= progressEvery {
		s.reported = now
		s.opt.Progress(s.Stats())
	}
}
