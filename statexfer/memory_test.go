package statexfer

import (
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"unsafe"
)

// TestMemoryOfASender holds what wire-memory.md says that a sender with rounds needs beside the guest's
// memory, when it has sent all pages and a half of them twice again.
func TestMemoryOfASender(t *testing.T) {
	const (
		fixed   = 32 << 20
		perPage = 60
		pages   = 32768
	)
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
	for round := range uint64(2) {
		for p := range uint64(pages / 2) {
			set.Set(p)
			binary.LittleEndian.PutUint64(mem[p*PageSize+8*(round+1):], p+1)
		}
		if err := s.Round(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	held := inUse() - before
	runtime.KeepAlive(mem)
	if most := uint64(fixed + pages*perPage); held > most {
		t.Errorf("it holds %d bytes, at most %d are expected", held, most)
	}
	// What grows with memory is less than what buffers differ by.
	tables := len(s.parts.pages)*int(unsafe.Sizeof(partHashes{})) + len(s.finder.slots)*4 + len(s.digest.leaves)*8
	if each := float64(tables) / pages; each > perPage {
		t.Errorf("it has tables of %.1f bytes for a page", each)
	}
	t.Logf("%.1f MiB, of which %.1f are tables", float64(held)/(1<<20), float64(tables)/(1<<20))
}
