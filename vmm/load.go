package vmm

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A Program is what a build's ELF file asks to have in memory.
type Program struct {
	Entry    GuestVirt
	Segments []Segment // by ascending address, no two in one page
}

// A Segment is one loadable range.
type Segment struct {
	Addr    GuestVirt
	Data    []byte // its first bytes; the rest is zero
	MemSize uint64 // bytes in memory
	Write   bool
	Exec    bool
}

// Pages returns the segment's first address and size in whole pages.
func (s *Segment) Pages() (GuestVirt, uint64) {
	start := s.Addr &^ (hostabi.PageSize - 1)
	end := pageUp(uint64(s.Addr) + s.MemSize)
	return start, end - uint64(start)
}

// Portable says whether the segment lies in memory that travels.
func (s *Segment) Portable() bool { return s.Addr >= hostabi.PortableBase }

// PlacePortable writes the program's initial data into portable memory.
func (p *Program) PlacePortable(mem []byte) {
	for i := range p.Segments {
		if s := &p.Segments[i]; s.Portable() {
			copy(mem[s.Addr-hostabi.PortableBase:], s.Data)
		}
	}
}

// Load reads the segments of a build for a guest with memory bytes of portable memory. The
// file is hostile: each segment is checked to lie in an area that the contract gives it.
func Load(b *image.Build, memory uint64) (*Program, error) {
	f, err := elf.NewFile(bytes.NewReader(b.Exec))
	if err != nil {
		return nil, fmt.Errorf("read the build's ELF file: %w", err)
	}
	defer f.Close()
	if f.Class != elf.ELFCLASS64 || f.Machine != b.ISA.Machine || f.Type != elf.ET_EXEC {
		return nil, fmt.Errorf("build is %v %v %v, want a 64-bit %v executable at fixed addresses",
			f.Class, f.Machine, f.Type, b.ISA.Machine)
	}
	p := &Program{Entry: GuestVirt(f.Entry)}
	for _, ph := range f.Progs {
		if ph.Type != elf.PT_LOAD || ph.Memsz == 0 {
			continue
		}
		s, err := loadSegment(b.Exec, &ph.ProgHeader, memory)
		if err != nil {
			return nil, fmt.Errorf("segment at %#x: %w", ph.Vaddr, err)
		}
		p.Segments = append(p.Segments, s)
	}
	return p, p.check()
}

func loadSegment(file []byte, ph *elf.ProgHeader, memory uint64) (Segment, error) {
	s := Segment{
		Addr:    GuestVirt(ph.Vaddr),
		MemSize: ph.Memsz,
		Write:   ph.Flags&elf.PF_W != 0,
		Exec:    ph.Flags&elf.PF_X != 0,
	}
	if ph.Filesz > ph.Memsz || ph.Off > uint64(len(file)) || ph.Filesz > uint64(len(file))-ph.Off {
		return s, fmt.Errorf("%d bytes at offset %#x of the file for %d bytes of memory", ph.Filesz, ph.Off, ph.Memsz)
	}
	s.Data = file[ph.Off : ph.Off+ph.Filesz]
	for _, area := range [...]struct {
		start, end  uint64
		write, exec bool // whether a segment here must be writable, may be executable
	}{
		{hostabi.TextBase, hostabi.PrivateBase, false, true},
		{hostabi.PrivateBase, hostabi.PortableBase, true, false},
		{hostabi.PortableBase, hostabi.PortableBase + memory, true, false},
	} {
		if ph.Vaddr < area.start || ph.Vaddr >= area.end {
			continue
		}
		if ph.Memsz > area.end-ph.Vaddr {
			return s, fmt.Errorf("%d bytes reach beyond %#x; is the memory too small?", ph.Memsz, area.end)
		}
		if s.Write != area.write || s.Exec && !area.exec {
			return s, fmt.Errorf("flags %v do not suit its place", ph.Flags)
		}
		return s, nil
	}
	return s, fmt.Errorf("outside of text, private data and %d bytes of portable memory", memory)
}

func (p *Program) check() error {
	slices.SortFunc(p.Segments, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	end, entryOK := GuestVirt(0), false
	for i := range p.Segments {
		s := &p.Segments[i]
		start, size := s.Pages()
		if start < end {
			return fmt.Errorf("segment at %#x shares a page with the one before", s.Addr)
		}
		end = start + GuestVirt(size)
		entryOK = entryOK || s.Exec && p.Entry >= s.Addr && uint64(p.Entry-s.Addr) < s.MemSize
	}
	if !entryOK {
		return fmt.Errorf("entry point %#x lies in no executable segment", p.Entry)
	}
	return nil
}

func pageUp(n uint64) uint64 {
	return (n + hostabi.PageSize - 1) &^ uint64(hostabi.PageSize-1)
}
