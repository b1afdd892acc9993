package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// Both ISAs translate with tables of 512 entries of 8 bytes, one page each, and can end a
// level above the last with a large page.
const (
	tableEntries = 512
	entryBits    = 9
	pageBits     = 12
	largePage    = hostabi.PageSize * tableEntries
)

// virtBits is the size of the guest's virtual addresses: three levels of tables.
const virtBits = pageBits + 3*entryBits

// A tableFormat is what page tables are made of on one ISA.
type tableFormat struct {
	levels int // of tables; those above the third have one entry each
	table  func(next guestPhys) uint64
	leaf   func(to guestPhys, p perm, large bool) uint64
}

// A tableBuilder makes page tables in memory that the guest does not map.
type tableBuilder struct {
	format *tableFormat
	base   guestPhys // of the first table, the root
	tables [][tableEntries]uint64
}

// buildTables returns tables that map regions, for guest-physical base, a page boundary. The
// first is the root. They do not change while the guest runs: nothing is left to be set in
// them by a processor.
func buildTables(f *tableFormat, base guestPhys, regions []region) ([]byte, error) {
	b := &tableBuilder{format: f, base: base, tables: make([][tableEntries]uint64, 1)}
	for i := range regions {
		if err := b.add(&regions[i]); err != nil {
			return nil, fmt.Errorf("map [%#x, +%#x): %w", regions[i].virt, regions[i].size, err)
		}
	}
	out := make([]byte, 0, len(b.tables)*hostabi.PageSize)
	for i := range b.tables {
		for _, e := range b.tables[i] {
			out = binary.LittleEndian.AppendUint64(out, e)
		}
	}
	return out, nil
}

func (b *tableBuilder) add(r *region) error {
	switch {
	case r.perm&permWrite != 0 && r.perm&permExec != 0:
		return errors.New("writable and executable")
	case (uint64(r.virt)|uint64(r.phys)|r.size)%hostabi.PageSize != 0:
		return errors.New("not whole pages")
	case r.size > 1<<virtBits || uint64(r.virt) > 1<<virtBits-r.size:
		return fmt.Errorf("beyond %d bits of virtual address", virtBits)
	}
	for off := uint64(0); off < r.size; {
		virt, phys := r.virt+vmm.GuestVirt(off), r.phys+guestPhys(off)
		large := (uint64(virt)|uint64(phys))%largePage == 0 && r.size-off >= largePage
		slot, err := b.slot(virt, large)
		if err != nil {
			return err
		}
		if *slot != 0 {
			return fmt.Errorf("%#x is mapped twice", virt)
		}
		*slot = b.format.leaf(phys, r.perm, large)
		if large {
			off += largePage
		} else {
			off += hostabi.PageSize
		}
	}
	return nil
}

// slot returns the entry for a page in the last table, or for a large page in the table
// above it, and makes the tables on the way.
func (b *tableBuilder) slot(virt vmm.GuestVirt, large bool) (*uint64, error) {
	last := 0
	if large {
		last = 1
	}
	at := 0
	for level := b.format.levels - 1; level > last; level-- {
		e := &b.tables[at][tableIndex(virt, level)]
		if *e == 0 {
			*e = b.format.table(b.base + guestPhys(len(b.tables)*hostabi.PageSize))
			at = len(b.tables)
			b.tables = append(b.tables, [tableEntries]uint64{})
			continue
		}
		at = b.find(*e)
		if at < 0 {
			return nil, fmt.Errorf("%#x is mapped twice", virt)
		}
	}
	return &b.tables[at][tableIndex(virt, last)], nil
}

// find returns the table that an entry leads to, or -1 for one of a large page.
func (b *tableBuilder) find(entry uint64) int {
	const addr = 1<<48 - hostabi.PageSize
	n := (entry&addr - uint64(b.base)) / hostabi.PageSize
	if n < uint64(len(b.tables)) && b.format.table(b.base+guestPhys(n*hostabi.PageSize)) == entry {
		return int(n)
	}
	return -1
}

// tableIndex returns the entry for virt in a table of a level; tables of level 0 map pages.
func tableIndex(virt vmm.GuestVirt, level int) int {
	return int(uint64(virt) >> (pageBits + level*entryBits) % tableEntries)
}
