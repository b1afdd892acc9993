package statexfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// Pre-copy's shape: everything, then rounds over what changed, pages turning zero among it.
func TestRounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.IntRange(1, 700).Draw(rt, "pages")
		mem := testMemory(pages, rapid.Uint64().Draw(rt, "seed"))
		var stream bytes.Buffer
		codec := rapid.SampledFrom([]Codec{None, S2, Zstd, Auto}).Draw(rt, "codec")
		s, err := NewSender(&stream, mem, Options{Compress: codec, Again: rapid.Bool().Draw(rt, "again")})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		ctx := context.Background()
		if err := s.Round(ctx, nil); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 4).Draw(rt, "rounds") {
			dirty := NewBitmap(uint64(pages))
			for _, p := range rapid.SliceOfN(rapid.IntRange(0, pages-1), 0, 300).Draw(rt, "dirty") {
				dirty.Set(uint64(p))
				page := mem[p*PageSize:][:PageSize]
				if rapid.Bool().Draw(rt, "zero") {
					clear(page)
				} else {
					page[rapid.IntRange(0, PageSize-1).Draw(rt, "at")]++
				}
			}
			if err := s.Round(ctx, dirty); err != nil {
				rt.Fatal(err)
			}
		}
		sent, digest, err := s.End(ctx)
		if err != nil {
			rt.Fatal(err)
		}

		got := make([]byte, len(mem))
		received, gotDigest, err := Receive(ctx, &stream, got, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got, mem) || digest != gotDigest || sent != received {
			rt.Fatalf("memory equal: %v\n%+v\n%+v", bytes.Equal(got, mem), sent, received)
		}
	})
}

// Post-copy's shape: chosen pages first, zero ones among them, and word of each in place.
func TestPlacedNamesEveryPageOfARequest(t *testing.T) {
	const pages = 1000
	mem := testMemory(pages, 7)
	want := NewBitmap(pages)
	for p := uint64(3); p < pages; p += 7 {
		want.Set(p)
	}
	var stream bytes.Buffer
	s, err := NewSender(&stream, mem, Options{Compress: Zstd})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Round(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(mem))
	placed := NewBitmap(pages)
	var mu sync.Mutex
	_, _, err = ReceiveWith(context.Background(), &stream, got, ReceiveOptions{Placed: func(r Run) {
		mu.Lock()
		defer mu.Unlock()
		for p := r.First; p < r.First+r.Count; p++ {
			placed.Set(p)
			if !bytes.Equal(got[p*PageSize:][:PageSize], mem[p*PageSize:][:PageSize]) {
				t.Errorf("page %d was not in place", p)
			}
		}
	}})
	if !errors.Is(err, ErrTruncated) { // the rest was not sent
		t.Fatal(err)
	}
	for p := uint64(0); p < pages; p++ {
		if placed.Has(p) != want.Has(p) {
			t.Fatalf("page %d placed: %v", p, placed.Has(p))
		}
	}
}

func TestCancelEndsBlockedIO(t *testing.T) {
	a, b := net.Pipe() // takes nothing that is not read
	defer a.Close()
	defer b.Close()
	mem := testNoise(2000)
	reason := errors.New("changed my mind")

	ctx, cancel := context.WithCancelCause(context.Background())
	sent := make(chan error)
	go func() {
		_, _, err := Send(ctx, a, mem, Options{Compress: S2})
		sent <- err
	}()
	if _, err := io.ReadFull(b, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel(reason)
	if err := <-sent; !errors.Is(err, reason) {
		t.Fatalf("send: %v", err)
	}

	ctx, cancel = context.WithCancelCause(context.Background())
	received := make(chan error)
	go func() {
		_, _, err := Receive(ctx, b, make([]byte, len(mem)), nil)
		received <- err
	}()
	if _, err := a.Write(appendStreamHeader(nil, S2, 2000)); err != nil {
		t.Fatal(err)
	}
	cancel(reason)
	if err := <-received; !errors.Is(err, reason) {
		t.Fatalf("receive: %v", err)
	}
	// The deadline that interrupted is taken back.
	go a.Write([]byte("x"))
	if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
		t.Fatalf("connection after a cancel: %v", err)
	}
}

// brokenWriter fails after so many bytes.
type brokenWriter struct{ left int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestSendReportsItsWriter(t *testing.T) {
	mem := testNoise(3000)
	for _, room := range []int{0, 31, 32, 1 << 20, 11 << 20} {
		s, err := NewSender(&brokenWriter{room}, mem, Options{Compress: S2})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Round(context.Background(), nil); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d: %v", room, err)
		}
		if _, _, err := s.End(context.Background()); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("end after a failure: %v", err)
		}
		s.Close()
	}
}

func TestRefusesPartsOfPages(t *testing.T) {
	if _, err := NewSender(io.Discard, make([]byte, 5000), Options{}); !errors.Is(err, ErrGeometry) {
		t.Fatal(err)
	}
	if _, _, err := Receive(context.Background(), bytes.NewReader(nil), make([]byte, 5000), nil); !errors.Is(err, ErrGeometry) {
		t.Fatal(err)
	}
}

// memfd returns a shared mapping and its file.
func memfd(t testing.TB, size int) ([]byte, *os.File) {
	t.Helper()
	fd, err := unix.MemfdCreate("statexfer test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "memfd")
	t.Cleanup(func() { file.Close() })
	if err := file.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	return mem, file
}

func allocated(t *testing.T, f *os.File) int64 {
	t.Helper()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Blocks * 512
}

// Neither side may allocate the holes of sparse memory.
func TestHolesStayHoles(t *testing.T) {
	const pages = 5000
	for _, offset := range []int{0, 7} { // pages before the region in its file
		all, file := memfd(t, (pages+offset)*PageSize)
		mem := all[offset*PageSize:]
		for _, p := range []int{0, 1, 700, 2999, 4999} {
			mem[p*PageSize+9] = byte(p%251) + 1
		}
		mem[3500*PageSize] = 0 // there, but zero
		before := allocated(t, file)

		var stream bytes.Buffer
		opt := Options{Compress: S2, Backing: file, BackingOffset: int64(offset) * PageSize}
		sent, _, err := Send(context.Background(), &stream, mem, opt)
		if err != nil {
			t.Fatal(err)
		}
		if sent.Sent != 5 || sent.Zero != pages-5 {
			t.Fatalf("%+v", sent)
		}
		if now := allocated(t, file); now != before {
			t.Fatalf("the sender's memory grew from %d to %d bytes", before, now)
		}

		target, targetFile := memfd(t, pages*PageSize)
		if _, _, err := Receive(context.Background(), &stream, target, nil); err != nil {
			t.Fatal(err)
		}
		if now := allocated(t, targetFile); now != 5*PageSize {
			t.Fatalf("the receiver allocated %d bytes", now)
		}
		if !bytes.Equal(mem, target) {
			t.Fatal("memory differs")
		}
	}
}

// Heap in use while 128 MiB go through stays below the limit, on both sides together.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 2 * 24 << 20
	src, _ := memfd(t, 128<<20)
	noise := testNoise(len(src) / PageSize / 2)
	for p := 0; p < len(src); p += PageSize { // half of each page can be compressed
		copy(src[p:], noise[p/2:][:PageSize/2])
	}
	dst, _ := memfd(t, len(src))
	for _, codec := range []Codec{None, S2, Zstd} {
		runtime.GC()
		var base runtime.MemStats
		runtime.ReadMemStats(&base)
		var peak uint64
		sample := func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		a, b := net.Pipe()
		done := make(chan error)
		go func() {
			_, _, err := Receive(context.Background(), b, dst, nil)
			done <- err
		}()
		next := uint64(0)
		_, _, err := Send(context.Background(), &sampled{w: a, every: 256, do: sample, n: &next}, src, Options{Compress: codec, Workers: maxWorkers})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if next < 2*256 { // too few to have sampled
			t.Fatalf("only %d writes", next)
		}
		if used := peak - min(peak, base.HeapAlloc); used > limit || peak == 0 {
			t.Fatalf("%v: %d bytes of heap, limit %d", codec, used, limit)
		}
		unix.Madvise(dst, unix.MADV_REMOVE) // zero again, as a receiver's memory has to be
	}
}

// sampled calls do at every so many writes.
type sampled struct {
	w     io.Writer
	every uint64
	do    func()
	n     *uint64
}

func (s *sampled) Write(p []byte) (int, error) {
	if *s.n++; *s.n%s.every == 0 {
		s.do()
	}
	return s.w.Write(p)
}

func TestProgressIsMonotonicAndComplete(t *testing.T) {
	mem := testMemory(2000, 3)
	var last Stats
	check := func(s Stats) {
		if s.Sent < last.Sent || s.WireBytes < last.WireBytes {
			t.Errorf("progress went back from %+v to %+v", last, s)
		}
		last = s
	}
	var stream bytes.Buffer
	sent, _, err := Send(context.Background(), &stream, mem, Options{Compress: S2, Progress: check})
	if err != nil || last != sent {
		t.Fatalf("last progress %+v, result %+v, %v", last, sent, err)
	}
	last = Stats{}
	received, _, err := Receive(context.Background(), &stream, make([]byte, len(mem)), check)
	if err != nil || last != received {
		t.Fatalf("last progress %+v, result %+v, %v", last, received, err)
	}
}

func TestCodecNames(t *testing.T) {
	for _, c := range []Codec{Auto, None, S2, Zstd} {
		if got, err := ParseCodec(c.String()); err != nil || got != c {
			t.Fatalf("%v: %v, %v", c, got, err)
		}
	}
	if _, err := ParseCodec("gzip"); err == nil {
		t.Fatal("gzip was taken")
	}
}
