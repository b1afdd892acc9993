package statexfer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// An outBatch is pages on their way out. It goes from the scanner to a worker to the writer
// and back to the pool. The worker decides for each page how it is sent, if at all, and makes
// the frames, at most one of a kind.
type outBatch struct {
	runs  []Run
	count int // pages
	zero  bool

	asked       method        // the chooser's, though the payload may be better off uncompressed
	compressing time.Duration // and choosing

	pages  [maxBatchPages]uint64
	leaves [maxBatchPages]uint64
	before [maxBatchPages]uint64 // leaves of what the receiver has
	raw    []byte                // the pages, copied: what is hashed is what is sent even if the guest runs
	diff   []byte                // differences
	parts  partList
	frames []frame
	out    []byte // the frames: headers yet to be filled in, page sets, payloads
	apart  []byte // the payload of the last frame, where out has it not
	err    error
}

// A pageList is pages that go into one frame.
type pageList struct {
	runs   []Run
	leaves []uint64
}

func (l *pageList) add(page, leaf uint64) {
	l.runs = appendPage(l.runs, page)
	l.leaves = append(l.leaves, leaf)
}

// scan finds the pages of set and gives them out in batches. A zero page is named where the
// receiver cannot know; in a first round over everything what does not come is zero.
func (s *Sender) scan(ctx context.Context, set Bitmap, todo chan<- *outBatch) {
	defer close(todo)
	size := s.batchPages(set)
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
	add := func(b **outBatch, isZero bool, page uint64) bool {
		if *b == nil {
			select {
			case *b = <-s.pool:
				(*b).runs, (*b).count, (*b).zero = (*b).runs[:0], 0, isZero
			case <-ctx.Done():
				return false
			}
		}
		(*b).runs = appendPage((*b).runs, page)
		(*b).count++
		if (*b).count < size {
			return true
		}
		full := *b
		*b = nil
		return flush(full)
	}

	implicit := set == nil && s.stats.Rounds == 0
	holes := holeFinder{pages: s.pages}
	if set == nil { // a set is of pages that are in use
		holes = newHoleFinder(s.mem, &s.opt)
	}
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
				ok = add(&zero, true, page)
			}
		default:
			ok = add(&data, false, page)
		}
		page++
	}
	for _, b := range []*outBatch{data, zero} {
		if b != nil {
			flush(b) // after a cancel this only gives it back
		}
	}
}

// fill makes the frames of a batch, all but their numbers.
func (s *Sender) fill(b *outBatch, enc *compressor) error {
	b.frames = b.frames[:0]
	if b.out == nil {
		b.out = make([]byte, 0, 3*(frameHdrLen+maxSetLen)+maxPayload)
	}
	b.out, b.apart = b.out[:0], nil
	if b.zero {
		b.frame(frame{kind: kindZero, codec: None}, s.nowZero(b), nil)
		return nil
	}
	begin := time.Now()
	s.copyOut(b)
	whole, base := s.sort(b)
	b.frame(frame{kind: kindBase, codec: None}, base, nil)
	whole, delta := s.differences(b, whole)
	for i := range b.count {
		if b.leaves[i] != b.before[i] { // else it was noted when it was sent
			s.parts.note(b.pages[i], b.leaves[i], b.raw[i*PageSize:][:PageSize])
		}
	}
	if err := b.changes(frame{kind: kindDelta}, delta, b.diff, enc, s.choose); err != nil {
		return err
	}
	if err := b.changes(frame{kind: kindParts}, b.parts.pageList, b.parts.payload(), enc, s.choose); err != nil {
		return err
	}
	if err := b.contents(whole, enc, s.choose); err != nil {
		return err
	}
	s.choose.worked(len(b.raw), time.Since(begin)-b.compressing)
	return nil
}

// nowZero notes that pages are zero, and returns those that the receiver has otherwise.
func (s *Sender) nowZero(b *outBatch) (l pageList) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range b.runs {
		for p := r.First; p < r.First+r.Count; p++ {
			if s.digest.leaves[p] != zeroLeaf || s.stats.Rounds == 0 || s.later.Has(p) {
				s.digest.put(p, zeroLeaf)
				s.come(p)
				l.add(p, zeroLeaf)
			}
		}
	}
	return l
}

// copyOut copies the pages of a batch and hashes the copies.
func (s *Sender) copyOut(b *outBatch) {
	if b.raw == nil {
		b.raw = make([]byte, 0, maxRaw)
	}
	b.raw = b.raw[:0]
	n := 0
	for _, r := range b.runs {
		at := len(b.raw)
		b.raw = append(b.raw, r.bytes(s.mem)...)
		for i := range r.Count {
			b.pages[n] = r.First + i
			b.leaves[n] = leafOf(b.raw[at+int(i)*PageSize:][:PageSize])
			n++
		}
	}
}

// sort decides for each page whether its content must be sent. It returns the indices of
// those for which it must, and the pages that the receiver has offered as they are.
func (s *Sender) sort(b *outBatch) (whole []int, base pageList) {
	whole = make([]int, 0, b.count)
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.stats.Rounds == 0
	for i := range b.count {
		p, leaf := b.pages[i], b.leaves[i]
		b.before[i] = s.digest.leaves[p]
		switch {
		case s.digest.leaves[p] == leaf: // the receiver has it
		case first && s.opt.Base != nil && s.opt.Base.leaves[p] == leaf:
			s.digest.put(p, leaf)
			s.finder.add(p, leaf)
			base.add(p, leaf)
		default:
			ref, ok := s.finder.find(p, leaf, s.digest.leaves)
			if ok && equalTo(s.mem, ref, b.raw[i*PageSize:][:PageSize]) {
				s.same = append(s.same, samePage{p, ref, leaf})
				continue
			}
			s.digest.put(p, leaf)
			s.come(p)
			s.finder.add(p, leaf)
			whole = append(whole, i)
		}
	}
	return whole, base
}

// differences takes those pages out of whole that differ little from what was sent of them
// before. What they differ in goes into b.diff, or, where the version of before is not at hand,
// parts that have changed into b.parts.
func (s *Sender) differences(b *outBatch, whole []int) (rest []int, delta pageList) {
	b.diff = b.diff[:0]
	b.parts = partList{content: b.parts.content[:0], masks: b.parts.masks[:0]}
	if s.stats.Rounds == 0 || s.opt.Compress == None {
		return whole, delta
	}
	rest = whole[:0]
	for _, i := range whole {
		page := b.raw[i*PageSize:][:PageSize]
		before := s.delta.before(b.pages[i])
		if before != nil && before.leaf == b.before[i] && sparse(before.content, page) {
			at := len(b.diff)
			b.diff = slices.Grow(b.diff, PageSize)[:at+PageSize]
			xor(b.diff[at:], before.content, page)
			delta.add(b.pages[i], b.leaves[i])
		} else if mask := s.parts.changed(b.pages[i], b.before[i], page); mask != 0 {
			b.parts.add(b.pages[i], b.leaves[i], mask, page)
		} else {
			rest = append(rest, i)
		}
		if before == nil {
			s.delta.add(b.pages[i], b.leaves[i], page)
		} else {
			copy(before.content, page)
			before.leaf = b.leaves[i]
		}
	}
	return rest, delta
}

// frame adds a frame of pages with a payload that is ready, unless there are none.
func (b *outBatch) frame(f frame, l pageList, payload []byte) {
	if len(l.leaves) == 0 {
		return
	}
	start := b.begin(&f, l)
	b.out = append(b.out, payload...)
	f.rawLen, f.wireLen = len(payload), len(payload)
	b.end(f, start)
}

// begin appends room for the header, and the page set.
func (b *outBatch) begin(f *frame, l pageList) (start int) {
	start = len(b.out)
	b.out = append(b.out, make([]byte, frameHdrLen)...)
	b.out = appendSet(b.out, l.runs)
	f.pages, f.pageSum = len(l.leaves), sumLeaves(l.leaves)
	f.setLen = len(b.out) - start - frameHdrLen
	return start
}

func (b *outBatch) end(f frame, start int) {
	f.bare = f.kind == kindBatch && f.codec == None
	f.bodySum = xxhash.Sum64(b.out[start+frameHdrLen:][:f.covered()])
	b.frames = append(b.frames, f)
}

// changes adds a frame of what pages differ in. It is small, so s2 is always worth while.
func (b *outBatch) changes(f frame, l pageList, payload []byte, enc *compressor, c *chooser) error {
	if len(l.leaves) == 0 {
		return nil
	}
	codec := S2
	if c.asked != Auto {
		codec = c.asked
	}
	return b.compressed(f, l, payload, enc, enc.look(payload).with(codec))
}

// contents adds a frame of whole pages.
func (b *outBatch) contents(whole []int, enc *compressor, c *chooser) error {
	b.asked, b.compressing = asIs, 0
	if len(whole) == 0 {
		return nil
	}
	var l pageList
	raw := b.raw[:0]
	for n, i := range whole {
		l.add(b.pages[i], b.leaves[i])
		if n == i {
			raw = raw[:len(raw)+PageSize] // it is in its place
			continue
		}
		raw = append(raw, b.raw[i*PageSize:(i+1)*PageSize]...) // rising: none is overwritten before its turn
	}
	begin := time.Now()
	f := shapeless
	if c.asked != None {
		f = enc.look(raw)
	}
	b.asked = c.pick(f)
	if m, ok := c.wants(f, len(raw)); ok {
		if err := sample(enc, c, m, raw, b.out[len(b.out):cap(b.out)]); err != nil {
			return err
		}
	}
	sampled := time.Now()
	if b.asked == asIs {
		b.asTheyAre(l, raw)
	} else {
		if err := b.compressed(frame{kind: kindBatch}, l, raw, enc, b.asked); err != nil {
			return err
		}
		b.compressing = time.Since(sampled)
		c.compressed(b.asked, len(raw), b.frames[len(b.frames)-1].wireLen, b.compressing)
	}
	b.compressing += sampled.Sub(begin)
	return nil
}

// asTheyAre adds a frame of whole pages, of which out gets all but the pages.
func (b *outBatch) asTheyAre(l pageList, raw []byte) {
	f := frame{kind: kindBatch, codec: None, rawLen: len(raw), wireLen: len(raw)}
	b.end(f, b.begin(&f, l))
	b.apart = raw
}

func (b *outBatch) compressed(f frame, l pageList, raw []byte, enc *compressor, m method) error {
	start := b.begin(&f, l)
	at := len(b.out)
	out, used, err := enc.compress(b.out, raw, m)
	if err != nil {
		return err
	}
	b.out, f.codec, f.planes, f.rawLen = out, methodCodec[used], used.planes(), len(raw)
	f.wireLen = len(b.out) - at
	b.end(f, start)
	return nil
}

// sample measures what a compressor takes for a part of a batch and makes of it. The first time
// may be longer: it makes its buffers, or the processor is taken away.
func sample(enc *compressor, c *chooser, m method, raw, room []byte) error {
	at := (len(raw) - sampleOf) / 2 / PageSize * PageSize
	var least time.Duration
	var size int
	for n := range 2 {
		begin := time.Now()
		out, err := enc.encode(room[:0], raw[at:at+sampleOf], m)
		if err != nil {
			return err
		}
		if took := time.Since(begin); n == 0 || took < least {
			least = took
		}
		size = len(out)
	}
	c.compressed(m, sampleOf, size, least)
	return nil
}

// sortPages sorts by page number.
func sortPages(pages []samePage) []samePage {
	slices.SortFunc(pages, func(a, b samePage) int { return cmp.Compare(a.page, b.page) })
	return pages
}
