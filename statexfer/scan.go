package statexfer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isZero says whether a page holds nothing but zeros. A page of data is mostly told from one
// by its first words.
func isZero(page []byte) bool { return bytes.Equal(page, zeroPage[:]) }

// A holeFinder knows which pages memory never had. They are zero.
type holeFinder struct {
	// find returns the first stretch of pages that may hold data and that ends behind page
	// n; from the number of pages on there are none. nil: every page may hold data.
	find     func(n uint64) (from, to uint64)
	close    func() error // may be nil
	pages    uint64
	from, to uint64 // the stretch of data at or behind the page asked for last
}

// newHoleFinder asks what the options name.
func newHoleFinder(mem []byte, opt *Options) holeFinder {
	h := holeFinder{pages: uint64(len(mem)) / PageSize}
	switch {
	case opt.Backing != nil:
		b := backing{opt.Backing, opt.BackingOffset, h.pages}
		h.find = b.find
	case opt.Anonymous:
		if p := openPageMap(mem, opt.PageMap); p != nil {
			h.find, h.close = p.find, p.close
		}
	}
	return h
}

// InUse returns the pages of anonymous memory that were ever written; all, where that cannot be
// told. pageMap is as in Options.
func InUse(mem []byte, pageMap *os.File) Bitmap {
	h := newHoleFinder(mem, &Options{Anonymous: true, PageMap: pageMap})
	defer h.done()
	set := NewBitmap(h.pages)
	for p := h.data(0); p < h.pages; p = h.data(p + 1) {
		set.Set(p)
	}
	return set
}

// data returns the first page at or behind n that may hold data, or the number of pages.
func (h *holeFinder) data(n uint64) uint64 {
	if h.find == nil || n >= h.pages {
		return min(n, h.pages)
	}
	if n < h.from || n >= h.to {
		h.from, h.to = h.find(n)
	}
	return max(n, h.from)
}

func (h *holeFinder) done() {
	if h.close != nil {
		h.close()
	}
}

// A backing is the file that memory maps.
type backing struct {
	file   *os.File
	offset int64 // of page 0 in the file
	pages  uint64
}

// find asks the file for the first stretch of data that ends behind page n. lseek moves the
// file's offset, which means nothing for memory. A file system that cannot tell has no holes.
func (b *backing) find(n uint64) (from, to uint64) {
	start, err := b.file.Seek(b.offset+int64(n)*PageSize, unix.SEEK_DATA)
	if errors.Is(err, syscall.ENXIO) {
		return b.pages, b.pages
	}
	if err != nil {
		return n, b.pages
	}
	end, err := b.file.Seek(start, unix.SEEK_HOLE)
	if err != nil {
		if end, err = b.file.Seek(0, io.SeekEnd); err != nil {
			return n, b.pages
		}
	}
	from = uint64(start-b.offset) / PageSize
	to = (uint64(end-b.offset) + PageSize - 1) / PageSize
	return min(from, b.pages), min(to, b.pages)
}
