package oracle

import (
	"bytes"
	"fmt"

	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/tender"
)

// copyMemory makes the portable memory of to equal to from's. Pages that are equal already
// are left alone, and those that neither has are not touched: a move costs what the program
// uses, not what it was given.
func copyMemory(to, from *stop) error {
	dst, src := to.Memory(), from.Memory()
	if len(dst) != len(src) {
		return fmt.Errorf("%d bytes of memory do not fit into %d", len(src), len(dst))
	}
	here, err := from.machine.Extents()
	if err != nil {
		return err
	}
	there, err := to.machine.Extents()
	if err != nil {
		return err
	}
	for _, e := range here {
		equalise(dst[e.Start:e.End], src[e.Start:e.End])
	}
	zero := make([]byte, hostabi.PageSize)
	for _, e := range subtract(there, here) {
		for off := e.Start; off < e.End; off += hostabi.PageSize {
			equalise(dst[off:off+hostabi.PageSize], zero)
		}
	}
	return nil
}

// equalise copies the pages of src that differ.
func equalise(dst, src []byte) {
	for ; len(src) > 0; dst, src = dst[hostabi.PageSize:], src[hostabi.PageSize:] {
		if d, s := dst[:hostabi.PageSize], src[:hostabi.PageSize]; !bytes.Equal(d, s) {
			copy(d, s)
		}
	}
}

// subtract returns what of a is not in b. Both are in order.
func subtract(a, b []tender.Extent) []tender.Extent {
	var rest []tender.Extent
	for _, e := range a {
		for _, gone := range b {
			if gone.End <= e.Start || gone.Start >= e.End {
				continue
			}
			if gone.Start > e.Start {
				rest = append(rest, tender.Extent{Start: e.Start, End: gone.Start})
			}
			e.Start = min(gone.End, e.End)
		}
		if e.Start < e.End {
			rest = append(rest, e)
		}
	}
	return rest
}
