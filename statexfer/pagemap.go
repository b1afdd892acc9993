package statexfer

import (
	"encoding/binary"
	"os"
	"unsafe"
)

// Bits of an entry of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). Anonymous
// memory whose page is neither present nor swapped out was never written.
const (
	pageSwapped = 1 << 62
	pagePresent = 1 << 63
)

// pageMapEntries is how many entries are read at once.
const pageMapEntries = 512

// A pageMap is this process's page map where memory lies.
type pageMap struct {
	file   *os.File
	opened bool   // here, and to be closed
	entry  uint64 // of page 0
	pages  uint64

	cached  uint64 // page of the first entry in buf
	entries uint64 // in buf; 0: none
	buf     [8 * pageMapEntries]byte
}

// openPageMap returns nil where there is no page map to ask. f is the file, if it is open.
func openPageMap(mem []byte, f *os.File) *pageMap {
	addr := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	if addr%PageSize != 0 {
		return nil
	}
	p := &pageMap{file: f}
	if f == nil {
		var err error
		if p.file, err = os.Open("/proc/self/pagemap"); err != nil {
			return nil
		}
		p.opened = true
	}
	p.entry, p.pages = uint64(addr)/PageSize, uint64(len(mem))/PageSize
	return p
}

func (p *pageMap) close() error {
	if !p.opened {
		return nil
	}
	return p.file.Close()
}

// find returns the first stretch of pages at or behind n that are there. One that cannot be
// asked for is taken to be there.
func (p *pageMap) find(n uint64) (from, to uint64) {
	from = n
	for from < p.pages && !p.there(from) {
		from++
	}
	to = from
	for to < p.pages && p.there(to) {
		to++
	}
	return from, to
}

func (p *pageMap) there(page uint64) bool {
	if page < p.cached || page-p.cached >= p.entries {
		p.read(page)
	}
	if p.entries == 0 {
		return true
	}
	return binary.NativeEndian.Uint64(p.buf[8*(page-p.cached):])&(pagePresent|pageSwapped) != 0
}

// read fills buf with entries from a page on.
func (p *pageMap) read(page uint64) {
	p.cached, p.entries = page, 0
	want := min(pageMapEntries, p.pages-page)
	n, _ := p.file.ReadAt(p.buf[:8*want], int64(8*(p.entry+page)))
	p.entries = uint64(n) / 8
}
