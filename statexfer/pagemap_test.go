package statexfer

import (
	"bytes"
	"context"
	"testing"

	"golang.org/x/sys/unix"
)

// anonymous maps size bytes of private memory.
func anonymous(t *testing.T, size int) []byte {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	if err := unix.Madvise(mem, unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL { // EINVAL: a kernel without large pages
		t.Fatal(err)
	}
	return mem
}

// resident counts the pages of mem that are there.
func resident(t *testing.T, mem []byte) (n int) {
	t.Helper()
	p := openPageMap(mem, nil)
	if p == nil {
		t.Fatal("no page map")
	}
	defer p.file.Close()
	for page := range p.pages {
		if p.there(page) {
			n++
		}
	}
	return n
}

// Anonymous memory is sent without touching what it never had.
func TestAnonymousHolesStayHoles(t *testing.T) {
	const pages = 5000
	mem := anonymous(t, pages*PageSize)
	for _, p := range []int{0, 511, 512, 700, 2999, 4999} {
		mem[p*PageSize+9] = byte(p%251) + 1
	}
	mem[3500*PageSize] = 0 // there, but zero
	if n := resident(t, mem); n != 7 {
		t.Fatalf("%d pages before, want 7", n)
	}
	var stream bytes.Buffer
	sent, _, err := Send(context.Background(), &stream, mem, Options{Compress: S2, Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Sent != 6 || sent.Zero != pages-6 {
		t.Fatalf("%+v", sent)
	}
	if n := resident(t, mem); n != 7 {
		t.Fatalf("sending made %d pages of 7", n)
	}
	target := anonymous(t, pages*PageSize)
	if _, _, err := Receive(context.Background(), &stream, target, nil); err != nil {
		t.Fatal(err)
	}
	if n := resident(t, target); n != 6 {
		t.Fatalf("receiving made %d pages, want 6", n)
	}
	if !bytes.Equal(mem, target) {
		t.Fatal("memory differs")
	}
}

// Where the page map says nothing, every page may hold data.
func TestMisalignedAnonymousMemory(t *testing.T) {
	mem := anonymous(t, 3*PageSize)[8:][:2*PageSize]
	mem[PageSize] = 1
	var stream bytes.Buffer
	sent, _, err := Send(context.Background(), &stream, mem, Options{Compress: None, Anonymous: true})
	if err != nil || sent.Sent != 1 {
		t.Fatalf("%+v, %v", sent, err)
	}
}
