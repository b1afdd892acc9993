// Package unwind finds the callers of a function from call frame information: a small
// interpreter of .eh_frame sections (LSB Core 5.0, 10.6; DWARF 5, 6.4) for any ISA whose
// builds have them. All that it reads is hostile: the section comes out of an image, the
// memory out of a guest.
package unwind

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Table is the call frame information of one build.
type Table struct {
	fdes []fde // by start
	cies []cie
}

// A cie is what functions have in common: LSB Core 5.0, 10.6.1.1.
type cie struct {
	codeAlign uint64
	dataAlign int64
	ra        uint64 // column of the return address
	encoding  byte   // of pointers in its FDEs
	augmented bool   // FDEs have augmentation data
	signal    bool   // its frames are of signal handlers
	initial   []byte // instructions
	addr      uint64 // of initial
}

// An fde describes one function: LSB Core 5.0, 10.6.1.2.
type fde struct {
	start, end uint64
	cie        int
	program    []byte
	addr       uint64 // of program
}

// Parse reads an .eh_frame section that is linked to addr. Entries that are not understood
// are left out, so that the rest is of use.
func Parse(section []byte, addr uint64) (*Table, error) {
	t := &Table{}
	cieAt := map[uint64]int{} // by offset in the section
	r := reader{b: section, addr: addr}
	for len(r.b) > 0 {
		offset := r.addr - addr
		n := r.uint(4)
		if n == 0 { // the terminator
			break
		}
		if n == math.MaxUint32 { // the extended length
			n = r.uint(8)
		}
		entry := reader{addr: r.addr}
		entry.b = r.take(n)
		if r.err != nil {
			return nil, fmt.Errorf("read .eh_frame at offset %#x: %w", offset, r.err)
		}
		at := entry.addr - addr
		id := entry.uint(4)
		if id == 0 {
			if c, err := parseCIE(&entry); err == nil {
				cieAt[offset] = len(t.cies)
				t.cies = append(t.cies, c)
			}
			continue
		}
		// The distance from this field back to the CIE.
		if i, ok := cieAt[at-id]; ok {
			if f, err := parseFDE(&entry, &t.cies[i]); err == nil && f.end > f.start {
				f.cie = i
				t.fdes = append(t.fdes, f)
			}
		}
	}
	slices.SortStableFunc(t.fdes, func(a, b fde) int { return cmp.Compare(a.start, b.start) })
	return t, nil
}

func parseCIE(r *reader) (cie, error) {
	c := cie{encoding: peAbsptr}
	version := r.u8()
	if version != 1 && version != 3 {
		return c, fmt.Errorf("version %d", version)
	}
	augmentation := r.str()
	c.codeAlign = r.uleb()
	c.dataAlign = r.sleb()
	if version == 1 {
		c.ra = uint64(r.u8())
	} else {
		c.ra = r.uleb()
	}
	// LSB Core 5.0, 10.6.1.1.1 "Augmentation String Format".
	if augmentation != "" {
		if augmentation[0] != 'z' {
			return c, fmt.Errorf("augmentation %q", augmentation)
		}
		c.augmented = true
		size := r.uleb()
		data := reader{addr: r.addr}
		data.b = r.take(size)
		for _, a := range augmentation[1:] {
			switch a {
			case 'R':
				c.encoding = data.u8()
			case 'L':
				data.u8()
			case 'P':
				data.value(data.u8())
			case 'S':
				c.signal = true
			case 'B': // AADWARF64: return addresses are signed with key B
			default:
				return c, fmt.Errorf("augmentation %q", augmentation)
			}
		}
		if data.err != nil {
			return c, data.err
		}
	}
	c.initial, c.addr = r.b, r.addr
	return c, r.err
}

func parseFDE(r *reader, c *cie) (fde, error) {
	var f fde
	f.start = r.pointer(c.encoding)
	f.end = f.start + r.value(c.encoding)
	if c.augmented {
		r.take(r.uleb())
	}
	f.program, f.addr = r.b, r.addr
	return f, r.err
}

// find returns the description of the function at pc.
func (t *Table) find(pc uint64) (*fde, bool) {
	i, found := slices.BinarySearchFunc(t.fdes, pc, func(f fde, pc uint64) int { return cmp.Compare(f.start, pc) })
	if !found {
		i--
	}
	if i < 0 || pc >= t.fdes[i].end {
		return nil, false
	}
	return &t.fdes[i], true
}
