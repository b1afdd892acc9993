package statexfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
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
	mem    []byte
	opt    Options
	pages  uint64
	digest *digester
	choose *chooser
	enc    []*compressor
	pool   chan *outBatch

	stats    Stats
	zero     atomic.Uint64 // zero pages that the first round left out
	seq      uint32        // of the next frame
	started  bool          // the stream header is written
	err      error         // why the stream is broken
	reported time.Time     // last call of Progress
}

// An outBatch is pages on their way out. It goes from the scanner to a worker to the writer
// and back to the pool.
type outBatch struct {
	frame frame
	runs  []Run
	asked Codec  // the chooser's, though the payload may be better off uncompressed
	raw   []byte // the pages, copied: what is hashed is what is sent even if the guest runs
	out   []byte // the frame: header, page set, payload
	err   error
}

// NewSender prepares a transfer of mem, whole pages. Nothing is written yet.
func NewSender(w io.Writer, mem []byte, opt Options) (*Sender, error) {
	if len(mem)%PageSize != 0 || uint64(len(mem))/PageSize > maxPages {
		return nil, fmt.Errorf("send %d bytes of memory: %w", len(mem), ErrGeometry)
	}
	if opt.Compress > Zstd {
		return nil, fmt.Errorf("send memory: unknown %v", opt.Compress)
	}
	if opt.Workers <= 0 {
		opt.Workers = defaultWorkers()
	}
	opt.Workers = min(opt.Workers, maxWorkers)
	pages := uint64(len(mem)) / PageSize
	s := &Sender{
		w: w, mem: mem, opt: opt, pages: pages,
		digest: newDigester(pages),
		choose: &chooser{asked: opt.Compress},
		stats:  Stats{Pages: pages, Codec: opt.Compress},
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

// Close frees buffers. The writer stays open.
func (s *Sender) Close() {
	for _, c := range s.enc {
		if c.zstd != nil {
			c.zstd.Close()
		}
	}
	s.enc, s.pool = nil, nil
}

// Round sends the pages of set, or all for nil, and returns when w has taken them. The guest
// may run meanwhile: a page that it changes must be in a later round's set. After an error
// the transfer is over.
func (s *Sender) Round(ctx context.Context, set Bitmap) error {
	if s.err != nil {
		return s.err
	}
	s.err = s.round(ctx, set)
	if s.err != nil {
		s.err = fmt.Errorf("send memory: %w", s.err)
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
	s.choose.pause()
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
	s.stats.Rounds++
	if err := s.writeFrame(ctx, frame{kind: kindRound, codec: None}, make([]byte, frameHdrLen)); err != nil {
		return err
	}
	s.report(true)
	return nil
}

// End finishes the transfer with the sender's counts and digest. The memory must not have
// changed since the last round that sent it.
func (s *Sender) End(ctx context.Context) (Stats, [32]byte, error) {
	if s.err == nil {
		if err := s.end(ctx); err != nil {
			s.err = fmt.Errorf("send memory: %w", err)
		}
	}
	if s.err != nil {
		return s.Stats(), [32]byte{}, s.err
	}
	s.err = errors.New("send memory: the transfer has ended")
	digest, _ := s.digest.sum()
	return s.stats, digest, nil
}

func (s *Sender) end(ctx context.Context) error {
	defer interrupt(ctx, writeDeadline(s.w))()
	if err := s.start(ctx); err != nil {
		return err
	}
	digest, zero := s.digest.sum()
	s.stats.Zero = zero
	s.zero.Store(zero)
	f := frame{kind: kindEnd, codec: None, rawLen: endLen, wireLen: endLen}
	out := appendEnd(make([]byte, frameHdrLen), s.stats, digest)
	f.bodySum = xxhash.Sum64(out[frameHdrLen:])
	if err := s.writeFrame(ctx, f, out); err != nil {
		return err
	}
	s.report(true)
	return nil
}

// scan finds the pages of set that go into batches. A zero page is named where the receiver
// cannot know; in a first round over everything what does not come is zero.
func (s *Sender) scan(ctx context.Context, set Bitmap, todo chan<- *outBatch) {
	defer close(todo)
	var data, zero *outBatch
	flush := func(b *outBatch) bool {
		select {
		case todo <- b:
			return true
		case <-ctx.Done():
			s.pool <- b
			return false
		}
	}
	add := func(b **outBatch, kind frameKind, page uint64) bool {
		if *b == nil {
			select {
			case *b = <-s.pool:
				(*b).frame, (*b).runs = frame{kind: kind}, (*b).runs[:0]
			case <-ctx.Done():
				return false
			}
		}
		(*b).runs = appendPage((*b).runs, page)
		(*b).frame.pages++
		if (*b).frame.pages < maxBatchPages {
			return true
		}
		full := *b
		*b = nil
		return flush(full)
	}

	implicit := set == nil && s.stats.Rounds == 0
	holes := newHoleFinder(s.mem, &s.opt)
	defer holes.done()
	ok := true
	for page := uint64(0); ok && page < s.pages; {
		if set != nil {
			if page = set.next(page, s.pages); page == s.pages {
				break
			}
		}
		hole := holes.data(page) > page
		switch {
		case hole && implicit:
			next := holes.data(page)
			s.zero.Add(next - page)
			page = next
			// Cancelling is noticed at the next page of data.
			continue
		case hole || isZero(s.mem[page*PageSize:][:PageSize]):
			if implicit {
				s.zero.Add(1)
				if page%maxBatchPages == 0 && ctx.Err() != nil {
					ok = false
				}
			} else {
				ok = add(&zero, kindZero, page)
			}
		default:
			ok = add(&data, kindBatch, page)
		}
		page++
	}
	for _, b := range []*outBatch{data, zero} {
		if b != nil {
			flush(b) // after a cancel this only gives it back
		}
	}
}

// fill makes the frame of a batch, all but its number.
func (s *Sender) fill(b *outBatch, enc *compressor) error {
	f := &b.frame
	f.codec = None
	if b.out == nil {
		b.out = make([]byte, 0, frameHdrLen+maxSetLen+maxPayload)
	}
	b.out = appendSet(b.out[:frameHdrLen], b.runs)
	f.setLen = len(b.out) - frameHdrLen
	if f.kind == kindZero {
		for _, r := range b.runs {
			s.digest.setZero(r)
		}
	} else {
		if b.raw == nil {
			b.raw = make([]byte, 0, maxRaw)
		}
		b.raw = b.raw[:0]
		for _, r := range b.runs {
			at := len(b.raw)
			b.raw = append(b.raw, r.bytes(s.mem)...)
			s.digest.set(r, b.raw[at:])
		}
		f.rawLen = len(b.raw)
		b.asked = s.choose.pick()
		out, used, err := enc.compress(b.out, b.raw, b.asked)
		if err != nil {
			return err
		}
		b.out, f.codec = out, used
		f.wireLen = len(b.out) - frameHdrLen - f.setLen
	}
	f.bodySum = xxhash.Sum64(b.out[frameHdrLen:])
	return nil
}

// start writes the stream header, once.
func (s *Sender) start(ctx context.Context) error {
	if s.started {
		return nil
	}
	s.started = true
	return s.write(ctx, appendStreamHeader(nil, s.opt.Compress, s.pages))
}

func (s *Sender) writeBatch(ctx context.Context, b *outBatch) error {
	if b.err != nil {
		return b.err
	}
	if err := s.writeFrame(ctx, b.frame, b.out); err != nil {
		return err
	}
	if b.frame.kind == kindBatch {
		s.choose.wrote(b.asked, b.frame.rawLen, time.Now())
		s.stats.Sent += uint64(b.frame.pages)
		s.stats.RawBytes += uint64(b.frame.rawLen)
		s.stats.Batches++
	}
	s.report(false)
	return nil
}

// writeFrame numbers a frame and writes it. out begins with room for the header.
func (s *Sender) writeFrame(ctx context.Context, f frame, out []byte) error {
	f.seq = s.seq
	f.put(out)
	s.seq++
	return s.write(ctx, out)
}

func (s *Sender) write(ctx context.Context, p []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for len(p) > 0 {
		n, err := s.w.Write(p[:min(len(p), maxWrite)])
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
