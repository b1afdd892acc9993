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

// A holeFinder knows which pages the backing file of memory does not have. They are zero.
type holeFinder struct {
	file     *os.File // nil: every page may hold data
	offset   int64    // of page 0 in the file
	pages    uint64
	from, to uint64 // the stretch of data at or behind the page asked for last
}

// data returns the first page at or behind n that may hold data, or the number of pages.
func (h *holeFinder) data(n uint64) uint64 {
	if h.file == nil || n >= h.pages {
		return min(n, h.pages)
	}
	if n < h.from || n >= h.to {
		h.from, h.to = h.find(n)
	}
	return max(n, h.from)
}

// find asks the file for the first stretch of data that ends behind page n. lseek moves the
// file's offset, which means nothing for memory. A file system that cannot tell has no holes.
func (h *holeFinder) find(n uint64) (from, to uint64) {
	start, err := h.file.Seek(h.offset+int64(n)*PageSize, unix.SEEK_DATA)
	if errors.Is(err, syscall.ENXIO) {
		return h.pages, h.pages
	}
	if err != nil {
		return n, h.pages
	}
	end, err := h.file.Seek(start, unix.SEEK_HOLE)
	if err != nil {
		if end, err = h.file.Seek(0, io.SeekEnd); err != nil {
			return n, h.pages
		}
	}
	from = uint64(start-h.offset) / PageSize
	to = (uint64(end-h.offset) + PageSize - 1) / PageSize
	return min(from, h.pages), min(to, h.pages)
}
