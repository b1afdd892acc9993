package statexfer

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestPageSetRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var runs []Run
		count := 0
		at := rapid.Uint64Range(0, maxPages/2).Draw(rt, "first")
		for range rapid.IntRange(1, maxBatchPages).Draw(rt, "runs") {
			n := rapid.Uint64Range(1, 3).Draw(rt, "pages")
			if count += int(n); count > maxBatchPages {
				count -= int(n)
				break
			}
			runs = append(runs, Run{at, n})
			at += n + rapid.OneOf(rapid.Just(uint64(1)), rapid.Uint64Range(1, 1<<30)).Draw(rt, "gap")
		}
		buf := appendSet(nil, runs)
		if len(buf) > maxSetLen {
			rt.Fatalf("%d bytes for %d pages", len(buf), count)
		}
		got, err := parseSet(buf, nil, count, maxPages)
		if err != nil || !slices.Equal(got, runs) {
			rt.Fatalf("%v, %v, want %v", got, err, runs)
		}
		if _, err := parseSet(buf, nil, count, at-1); err == nil && runs[len(runs)-1].First+runs[len(runs)-1].Count > at-1 {
			rt.Fatal("pages behind the region's end were taken")
		}
	})
}

// The shorter form is chosen, and both are in use.
func TestPageSetForms(t *testing.T) {
	if buf := appendSet(nil, []Run{{1000, 256}}); buf[0] != setRuns {
		t.Fatal("one run as a bitmap")
	}
	var runs []Run
	for i := range uint64(128) {
		runs = append(runs, Run{5 + 2*i, 1})
	}
	if buf := appendSet(nil, runs); buf[0] != setBitmap || len(buf) != 1+1+32 {
		t.Fatalf("form %d of %d bytes for every other page", buf[0], len(buf))
	}
}

func TestBitmapNext(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.Uint64Range(1, 300).Draw(rt, "pages")
		set := rapid.SliceOfDistinct(rapid.Uint64Range(0, pages-1), rapid.ID[uint64]).Draw(rt, "set")
		b := NewBitmap(pages)
		for _, p := range set {
			b.Set(p)
		}
		var got []uint64
		for p := b.next(0, pages); p < pages; p = b.next(p+1, pages) {
			got = append(got, p)
		}
		slices.Sort(set)
		if !slices.Equal(got, set) || b.Count() != uint64(len(set)) {
			rt.Fatalf("%v, want %v", got, set)
		}
	})
}

// However the pages lie that come later, every frame that names them fits, and few are needed.
func TestLaterFits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const pages = 50000
		set := NewBitmap(pages)
		for p := uint64(0); p < pages; {
			step := rapid.SampledFrom([]uint64{1, 2, 3, 130, 9000}).Draw(rt, "step")
			for range rapid.IntRange(1, 9000).Draw(rt, "times") {
				if p < pages {
					set.Set(p)
				}
				p += step
			}
		}
		mem := make([]byte, pages*PageSize)
		var stream bytes.Buffer
		s, err := NewSender(&stream, mem, Options{Compress: None})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		if err := s.Later(rt.Context(), set); err != nil {
			rt.Fatal(err)
		}
		sent, digest, err := s.End(rt.Context())
		if err != nil {
			rt.Fatal(err)
		}
		if sent.Later != set.Count() || sent.WireBytes > 6*2200+set.Count()*8 {
			rt.Errorf("%d pages: %+v", set.Count(), sent)
		}
		later := NewBitmap(pages)
		_, got, err := ReceiveWith(rt.Context(), &stream, mem, ReceiveOptions{Later: later})
		if err != nil || got != digest || !slices.Equal(later, set) {
			rt.Errorf("received: %v, same pages: %v", err, slices.Equal(later, set))
		}
	})
}

// All of memory is named in some hundred bytes.
func TestAllLater(t *testing.T) {
	const pages = 100000
	all := NewBitmap(pages)
	for p := range uint64(pages) {
		all.Set(p)
	}
	var stream bytes.Buffer
	s, err := NewSender(&stream, make([]byte, pages*PageSize), Options{Compress: None})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Later(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if sent, _, err := s.End(t.Context()); err != nil || sent.Later != pages || sent.WireBytes > 500 {
		t.Errorf("%v, %+v", err, sent)
	}
}

// sending is a sender of memory, and where it writes.
func sending(t *testing.T, mem []byte, opt Options) (*Sender, *bytes.Buffer) {
	t.Helper()
	stream := new(bytes.Buffer)
	s, err := NewSender(stream, mem, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, stream
}

// A page that is sent after it was left to post-copy is not awaited, whatever it is sent as.
func TestLaterButSentAfterAll(t *testing.T) {
	const pages = 40
	mem := testNoise(pages)
	clear(mem[5*PageSize:][:PageSize])
	copy(mem[6*PageSize:], mem[7*PageSize:][:PageSize])
	s, stream := sending(t, mem, Options{Workers: 1})
	ctx := t.Context()
	all, last := NewBitmap(pages), NewBitmap(pages)
	for p := range uint64(pages) {
		all.Set(p)
		if p < 10 {
			last.Set(p)
		}
	}
	if err := errors.Join(s.Later(ctx, all), s.Round(ctx, last)); err != nil {
		t.Fatal(err)
	}
	sent, digest, err := s.End(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, later := make([]byte, len(mem)), NewBitmap(pages)
	awaits := 0
	received, gotDigest, err := ReceiveWith(ctx, stream, got, ReceiveOptions{Later: later, Awaits: func() { awaits++ }})
	if awaits != 1 {
		t.Errorf("told %d times that pages are awaited", awaits)
	}
	if err != nil || sent != received || digest != gotDigest || sent.Same != 1 {
		t.Fatalf("%v\n%+v\n%+v", err, sent, received)
	}
	all.Remove(last)
	if !slices.Equal(later, all) || !bytes.Equal(got[:10*PageSize], mem[:10*PageSize]) {
		t.Errorf("awaited: %x, want %x", later, all)
	}
}

// Pages that are left to post-copy are as if they had never been there, whatever came of them before.
func TestLaterIsFreed(t *testing.T) {
	const pages = 1000
	mem, got := testNoise(pages), anonymous(t, pages*PageSize)
	s, stream := sending(t, mem, Options{})
	ctx := t.Context()
	left, again := NewBitmap(pages), NewBitmap(pages)
	for p := range uint64(pages) {
		if p%7 != 0 {
			left.Set(p)
		}
		if p%5 == 0 {
			again.Set(p)
		}
	}
	err := errors.Join(s.Round(ctx, nil), s.Later(ctx, left), s.Round(ctx, again))
	sent, digest, endErr := s.End(ctx)
	if err := errors.Join(err, endErr); err != nil {
		t.Fatal(err)
	}
	later := NewBitmap(pages)
	received, gotDigest, err := ReceiveWith(ctx, stream, got, ReceiveOptions{Later: later, Free: func(r Run) error {
		return unix.Madvise(r.bytes(got), unix.MADV_DONTNEED)
	}})
	if err != nil || sent != received || digest != gotDigest {
		t.Fatalf("%v\n%+v\n%+v", err, sent, received)
	}
	left.Remove(again)
	there := InUse(got, nil)
	for p := range uint64(pages) {
		switch {
		case later.Has(p) != left.Has(p):
			t.Errorf("page %d is awaited: %v", p, later.Has(p))
		case later.Has(p) == there.Has(p):
			t.Errorf("page %d is awaited: %v, and there: %v", p, later.Has(p), there.Has(p))
		case !later.Has(p) && !bytes.Equal(Run{p, 1}.bytes(got), Run{p, 1}.bytes(mem)):
			t.Errorf("page %d holds something else", p)
		}
	}
}

// A page cannot be equal to one that is to come.
func TestSameAsLater(t *testing.T) {
	const pages = 40
	mem := testNoise(pages)
	s, stream := sending(t, mem, Options{Workers: 1})
	ctx := t.Context()
	left := NewBitmap(pages)
	left.Set(7)
	f := frame{kind: kindSame, codec: None, pages: 1, pageSum: sumLeaves([]uint64{zeroLeaf})}
	err := errors.Join(s.Round(ctx, nil), s.Later(ctx, left),
		s.writeNamed(ctx, f, []Run{{6, 1}}, appendRefs(nil, []uint64{7})), s.endRound(ctx))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = ReceiveWith(ctx, stream, make([]byte, len(mem)), ReceiveOptions{Later: NewBitmap(pages)})
	if !errors.Is(err, ErrFormat) {
		t.Errorf("received: %v", err)
	}
}
