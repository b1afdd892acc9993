package statexfer

import (
	"encoding/binary"
	"io"
	"runtime"
	"testing"
)

// held returns how much memory a sender with rounds has beside the guest's, when it has sent all pages,
// and a part of them again.
func held(t *testing.T, pages uint64) uint64 {
	t.Helper()
	mem := make([]byte, pages*PageSize)
	for at := 0; at < len(mem); at += PageSize {
		binary.LittleEndian.PutUint64(mem[at:], uint64(at)+1)
	}
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	s, err := NewSender(io.Discard, mem, Options{Workers: 2, Again: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Round(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	set := NewBitmap(pages)
	for round := range 2 {
		for p := range pages / 2 {
			set.Set(p)
			binary.LittleEndian.PutUint64(mem[p*PageSize+8*uint64(round+1):], p+1)
		}
		if err := s.Round(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	after := inUse()
	runtime.KeepAlive(mem)
	return after - before
}

// TestMemoryOfASender holds what wire-memory.md says that a sender needs.
func TestMemoryOfASender(t *testing.T) {
	const (
		fixed   = 28 << 20
		perPage = 60
		small   = 2 * 4096
		large   = 8 * small
	)
	a, b := held(t, small), held(t, large)
	t.Logf("%.1f MiB for %d pages, %.1f MiB for %d", float64(a)/(1<<20), small, float64(b)/(1<<20), large)
	if a > fixed+small*perPage {
		t.Errorf("%d bytes for %d pages", a, small)
	}
	if each := float64(b-a) / (large - small); each > perPage {
		t.Errorf("%.1f bytes for each page more", each)
	}
}
