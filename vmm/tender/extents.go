package tender

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An Extent is a range of portable memory that has pages; the rest was never touched and is
// zero. Offsets from the region's start, whole pages.
type Extent struct{ Start, End int64 }

// Extents returns the ranges of portable memory that have pages, in order. Unlike a read,
// it does not make pages where there are none.
func (m *Machine) Extents() ([]Extent, error) {
	return extents(m.mem.portableFile, 0, int64(len(m.mem.portable)))
}

// extents returns the ranges between two offsets of a file that have pages.
func extents(f *os.File, from, to int64) ([]Extent, error) {
	fd := int(f.Fd())
	var list []Extent
	for at := from; at < to; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if err == unix.ENXIO || err == nil && start >= to { // nothing follows
			break
		}
		if err != nil {
			return nil, fmt.Errorf("find pages: %w", err)
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil {
			return nil, fmt.Errorf("find the end of pages: %w", err)
		}
		at = min(end, to)
		list = append(list, Extent{start, at})
	}
	return list, nil
}
