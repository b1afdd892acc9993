package statexfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"pgregory.net/rapid"
)

// A memory that comes back to where its pages are costs what has changed.
func TestBase(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.IntRange(1, 900).Draw(rt, "pages")
		base := testMemory(pages, rapid.Uint64().Draw(rt, "seed"))
		mem := bytes.Clone(base)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "changes"), 0))
		changed := 0
		for p := range pages {
			page := mem[p*PageSize:][:PageSize]
			switch rng.IntN(20) {
			case 0:
				clear(page)
			case 1:
				binary.LittleEndian.PutUint64(page, rng.Uint64()|1)
				changed++
			}
		}
		// The offer goes over the wire.
		var wire bytes.Buffer
		if _, err := NewOffer(base, false, nil).WriteTo(&wire); err != nil {
			rt.Fatal(err)
		}
		wire.WriteString("next")
		offer, err := ReadOffer(&wire, uint64(pages))
		if err != nil || wire.String() != "next" {
			rt.Fatal(err, wire.String())
		}
		stream, sent, digest := encode(t, mem, Options{Compress: S2, Base: offer})
		got := bytes.Clone(base)
		received, gotDigest, err := ReceiveWith(context.Background(), bytes.NewReader(stream), got,
			ReceiveOptions{ToEOF: true, Base: NewOffer(base, false, nil)})
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got, mem) || digest != gotDigest || digest != Digest(mem) || sent != received {
			rt.Fatalf("memory equal: %v\n%+v\n%+v", bytes.Equal(got, mem), sent, received)
		}
		if int(sent.Sent) > changed {
			rt.Fatalf("%d pages sent, %d changed", sent.Sent, changed)
		}
	})
}

func TestOfferIsChecked(t *testing.T) {
	const pages = 5
	mem := testNoise(pages)
	clear(mem[2*PageSize : 3*PageSize])
	var wire bytes.Buffer
	if _, err := NewOffer(mem, false, nil).WriteTo(&wire); err != nil {
		t.Fatal(err)
	}
	for at := range wire.Len() {
		altered := bytes.Clone(wire.Bytes())
		altered[at] ^= 0x10
		if _, err := ReadOffer(bytes.NewReader(altered), pages); err == nil {
			t.Fatalf("byte %d altered: no error", at)
		}
		if _, err := ReadOffer(bytes.NewReader(wire.Bytes()[:at]), pages); err == nil {
			t.Fatalf("%d bytes: no error", at)
		}
	}
	if _, err := ReadOffer(bytes.NewReader(wire.Bytes()), pages+1); !errors.Is(err, ErrGeometry) {
		t.Fatalf("another size: %v", err)
	}
	wire.Reset()
	if _, err := (*Offer)(nil).WriteTo(&wire); err != nil {
		t.Fatal(err)
	}
	if o, err := ReadOffer(&wire, pages); o != nil || err != nil {
		t.Fatalf("an empty offer: %v, %v", o, err)
	}
}

func FuzzReadOffer(f *testing.F) {
	const pages = 8
	for seed := range uint64(3) {
		var wire bytes.Buffer
		if _, err := NewOffer(testMemory(pages, seed), false, nil).WriteTo(&wire); err != nil {
			f.Fatal(err)
		}
		f.Add(wire.Bytes()[offerHdrLen:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ReadOffer(bytes.NewReader(sealOffer(pages, body)), pages)
		if err != nil || o == nil {
			return
		}
		var again bytes.Buffer
		if _, err := o.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		back, err := ReadOffer(&again, pages)
		if err != nil || o.Pages() != back.Pages() {
			t.Fatalf("%v, %d and %d pages", err, o.Pages(), back.Pages())
		}
	})
}

// Equal pages are carried once, a page that changes a little as what it changed.
func TestNothingTwice(t *testing.T) {
	const pages = 1000
	mem := bytes.Repeat(testNoise(10), pages/10)
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: S2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	all := NewBitmap(pages)
	for p := range uint64(pages) {
		all.Set(p)
	}
	round := func(set Bitmap) Stats {
		t.Helper()
		before := s.Stats()
		if err := s.Round(ctx, set); err != nil {
			t.Fatal(err)
		}
		now := s.Stats()
		now.Sent -= before.Sent
		now.Same -= before.Same
		now.Delta -= before.Delta
		now.WireBytes -= before.WireBytes
		return now
	}
	if st := round(nil); st.Sent+st.Same != pages || st.Sent > 10*maxWorkers {
		t.Errorf("equal pages: %+v", st)
	}
	if st := round(all); st.Sent+st.Same+st.Delta != 0 {
		t.Errorf("unchanged: %+v", st)
	}
	touch := func() {
		for p := range pages {
			binary.LittleEndian.PutUint64(mem[p*PageSize+8*(p%500):], rand.Uint64())
		}
	}
	touch()
	if st := round(all); st.Sent != pages {
		t.Errorf("changed once: %+v", st)
	}
	touch()
	if st := round(all); st.Delta != pages || st.WireBytes > pages*200 {
		t.Errorf("changed again: %+v", st)
	}
	clear(mem[:100*PageSize])
	round(all)
	copy(mem, testNoise(100)) // not what they were when they were kept
	if st := round(all); st.Delta != 0 {
		t.Errorf("after zeros: %+v", st)
	}
	checkArrives(t, s, &stream, mem)
}

// checkArrives ends a sender's stream, and has it received: both sides say the same of it.
func checkArrives(t *testing.T, s *Sender, stream *bytes.Buffer, mem []byte) {
	t.Helper()
	sent, digest, err := s.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(mem))
	received, gotDigest, err := Receive(t.Context(), stream, got, nil)
	if err != nil || !bytes.Equal(got, mem) || digest != gotDigest || sent != received {
		t.Fatalf("%v, memory equal: %v\n%+v\n%+v", err, bytes.Equal(got, mem), sent, received)
	}
}

// Of a page that is sent again go the parts that have changed, the first time too.
func TestOnlyPartsThatChanged(t *testing.T) {
	const pages = 300
	mem := testNoise(pages)
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: Auto, Again: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	all := NewBitmap(pages)
	for p := range uint64(pages) {
		all.Set(p)
	}
	if err := s.Round(ctx, nil); err != nil {
		t.Fatal(err)
	}
	before := s.Stats()
	for p := range pages {
		parts := 1 + p%2*7 // of every other page all
		for i := range parts {
			mem[p*PageSize+(p+i)%pageParts*partSize+p]++
		}
	}
	if err := s.Round(ctx, all); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if delta, whole := st.Delta-before.Delta, st.Sent-before.Sent; delta != pages/2 || whole != pages/2 {
		t.Errorf("%d pages in parts, %d whole", delta, whole)
	}
	if wire := st.WireBytes - before.WireBytes; wire > pages/2*(PageSize+partSize+50) {
		t.Errorf("%d bytes", wire)
	}
	checkArrives(t, s, &stream, mem)
}

// A guest that writes during rounds: what is sent in the end is what memory is in the end.
func TestRoundsWhileMemoryChanges(t *testing.T) {
	for _, again := range []bool{false, true} {
		testRoundsWhileMemoryChanges(t, again)
	}
}

func testRoundsWhileMemoryChanges(t *testing.T, again bool) {
	t.Helper()
	const pages = 600
	mem := testMemory(pages, 9)
	stop, stopped := make(chan struct{}), make(chan struct{})
	set := NewBitmap(pages)
	for p := range uint64(pages) {
		set.Set(p)
	}
	go func() { // pages become equal to others, zero, and other again
		defer close(stopped)
		rng := rand.New(rand.NewPCG(1, 2))
		for {
			select {
			case <-stop:
				return
			default:
			}
			p, q := rng.IntN(pages), rng.IntN(pages)
			scramble(mem, p, q, rng)
		}
	}()
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: S2, Again: again})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 20 {
		if err := s.Round(context.Background(), set); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	if err := s.Round(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	sent, digest, err := s.End(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(mem))
	received, gotDigest, err := Receive(context.Background(), &stream, got, nil)
	if err != nil || !bytes.Equal(got, mem) || digest != gotDigest || sent != received {
		t.Fatalf("%v, memory equal: %v\n%+v\n%+v", err, bytes.Equal(got, mem), sent, received)
	}
}

// A page that the guest changes while it is looked at may be the one that another is equal to,
// and equal to a third itself. Both cannot be said in one round.
func TestEqualToAPageThatChanges(t *testing.T) {
	const a, b, c, pages = 0, 1, 2, 3
	mem := testNoise(pages)
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: None})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Round(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	old := s.digest.leaves[a]
	copy(mem[b*PageSize:], mem[a*PageSize:][:PageSize])
	copy(mem[a*PageSize:], mem[c*PageSize:][:PageSize])
	// As the workers find it when a changes between their looking at it and at b.
	s.same = []samePage{{a, c, s.digest.leaves[c]}, {b, a, old}}
	rest, err := s.writeSame(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rest == nil || rest.Has(a) || !rest.Has(b) {
		t.Errorf("left for another round: %v", rest)
	}
	if err := s.Round(t.Context(), rest); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(mem))
	if _, _, err := Receive(t.Context(), &stream, got, nil); err != nil || !bytes.Equal(got, mem) {
		t.Fatalf("%v, memory equal: %v", err, bytes.Equal(got, mem))
	}
}

// A limit holds over the whole of a transfer.
func TestBandwidth(t *testing.T) {
	mem := testNoise(256) // 1 MiB
	begin := time.Now()
	encode(t, mem, Options{Compress: None, Bandwidth: 10 << 20})
	if took, least := time.Since(begin), 100*time.Millisecond-2*burst; took < least {
		t.Errorf("1 MiB at 10 MiB/s took %v", took)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("changed my mind")
	time.AfterFunc(50*time.Millisecond, func() { cancel(reason) })
	if _, _, err := Send(ctx, &bytes.Buffer{}, mem, Options{Compress: None, Bandwidth: 1000}); !errors.Is(err, reason) {
		t.Errorf("cancelled while it waits: %v", err)
	}
}

// The digest after rounds is that of memory as a whole.
func TestDigestIsWorkedOutAgainWhereItChanged(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.IntRange(0, 3*blockPages).Draw(rt, "pages")
		d := newDigester(uint64(pages))
		mem := make([]byte, pages*PageSize)
		for range rapid.IntRange(0, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 3).Draw(rt, "changes") {
				if pages == 0 {
					break
				}
				p := rapid.IntRange(0, pages-1).Draw(rt, "page")
				mem[p*PageSize] = byte(rapid.IntRange(0, 2).Draw(rt, "value"))
				d.set(Run{uint64(p), 1}, mem[p*PageSize:])
			}
			digest, zero := d.sum()
			want, wantZero := digesterOf(leavesOf(mem, nil)).sum()
			if digest != want || zero != wantZero || digest != Digest(mem) || digest != definedDigest(mem) {
				rt.Fatalf("digest %x, %d zero pages, want %x, %d", digest, zero, want, wantZero)
			}
		}
	})
}

// definedDigest is the digest as its definition has it.
func definedDigest(mem []byte) [32]byte {
	all := []byte("migrated memory digest 2\n")
	all = binary.LittleEndian.AppendUint64(all, PageSize)
	all = binary.LittleEndian.AppendUint64(all, uint64(len(mem)/PageSize))
	for block := range slices.Chunk(mem, blockPages*PageSize) {
		var leaves []byte
		for page := range slices.Chunk(block, PageSize) {
			leaves = binary.LittleEndian.AppendUint64(leaves, xxhash.Sum64(page))
		}
		sum := sha256.Sum256(leaves)
		all = append(all, sum[:]...)
	}
	return sha256.Sum256(all)
}

// scramble changes page p: to what q is, to zeros, or in one word. It plays a guest, which
// writes while the sender reads: that is no race between goroutines, and not to be taken for one.
//
//go:norace
func scramble(mem []byte, p, q int, rng *rand.Rand) {
	page := mem[p*PageSize:][:PageSize]
	switch rng.IntN(3) {
	case 0:
		for i, b := range mem[q*PageSize:][:PageSize] { // copy and the like are looked at all the same
			page[i] = b
		}
	case 1:
		for i := range page {
			page[i] = 0
		}
	case 2:
		at, word := 8*rng.IntN(PageSize/8), rng.Uint64()
		for i := range 8 {
			page[at+i] = byte(word >> (8 * i))
		}
	}
}

// sealOffer puts the header before the body of an offer.
func sealOffer(pages uint64, body []byte) []byte {
	b := append([]byte(nil), offerMagic...)
	b = binary.LittleEndian.AppendUint64(b, pages)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(body))
	return append(binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b)), body...)
}
