package tender

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// An Extent is a range of portable memory that has pages; the rest was never touched and is
// zero. Offsets from the region's start, whole pages.
type Extent struct{ Start, End int64 }

// Extents returns the ranges of portable memory that have pages, in order. Unlike a read,
// it does not make pages where there are none.
func (m *Machine) Extents() ([]Extent, error) {
	fd := int(m.mem.portableFile.Fd())
	var list []Extent
	for at := int64(0); ; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if err == unix.ENXIO { // nothing follows
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("find pages: %w", err)
		}
		if at, err = unix.Seek(fd, start, unix.SEEK_HOLE); err != nil {
			return nil, fmt.Errorf("find the end of pages: %w", err)
		}
		list = append(list, Extent{start, at})
	}
}
