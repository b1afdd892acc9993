package image

import (
	"bytes"
	"debug/elf"
	"fmt"
	"sort"

	"github.com/migrated/migrated/layout/region"
)

const portableBase = region.PortableBase

// maxSegments bounds the segments of an executable.
const maxSegments = 64

// checkExec checks that a build's executable can be loaded as the contract says: segments
// within their regions, none writable and executable, none sharing a page, the entry point
// in text.
func checkExec(c *Config, b *Build) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: executable for %s: %s", ErrFormat, b.Info.Level, fmt.Sprintf(format, args...))
	}
	// debug/elf allocates by e_phnum and e_shnum, at most 64 Ki entries each.
	f, err := elf.NewFile(bytes.NewReader(b.Exec))
	if err != nil {
		return fail("%v", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Type != elf.ET_EXEC || f.Machine != b.ISA.Machine {
		return fail("it is %v %v %v", f.Class, f.Type, f.Machine)
	}
	if len(f.Progs) > maxSegments {
		return fail("it has %d segments", len(f.Progs))
	}
	var loads []*elf.Prog
	entry := false
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
		case elf.PT_GNU_EH_FRAME, elf.PT_GNU_STACK:
			continue
		default:
			return fail("unexpected segment %v", p.Type)
		}
		if p.Memsz == 0 {
			continue
		}
		if p.Filesz > p.Memsz || p.Off > uint64(len(b.Exec)) || p.Filesz > uint64(len(b.Exec))-p.Off {
			return fail("segment at %#x has %d bytes at offset %#x for %d bytes of memory", p.Vaddr, p.Filesz, p.Off, p.Memsz)
		}
		low, high, write := uint64(region.TextBase), uint64(region.PrivateBase), false
		switch {
		case p.Vaddr >= region.PortableBase:
			low, high, write = region.PortableBase, c.StaticEnd, true
		case p.Vaddr >= region.PrivateBase:
			low, high, write = region.PrivateBase, region.PortableBase, true
		}
		if p.Vaddr < low || p.Vaddr > high || p.Memsz > high-p.Vaddr {
			return fail("segment of %d bytes at %#x is not within [%#x, %#x)", p.Memsz, p.Vaddr, low, high)
		}
		exec := p.Flags&elf.PF_X != 0
		if p.Flags&elf.PF_R == 0 || p.Flags&elf.PF_W != 0 != write || exec && write {
			return fail("segment at %#x has flags %v", p.Vaddr, p.Flags)
		}
		if exec && f.Entry >= p.Vaddr && f.Entry-p.Vaddr < p.Memsz {
			entry = true
		}
		loads = append(loads, p)
	}
	if !entry {
		return fail("its entry point %#x is not in text", f.Entry)
	}
	sort.Slice(loads, func(i, j int) bool { return loads[i].Vaddr < loads[j].Vaddr })
	for i, p := range loads[1:] {
		if last := loads[i]; region.PageUp(last.Vaddr+last.Memsz) > p.Vaddr {
			return fail("segments at %#x and %#x share a page", last.Vaddr, p.Vaddr)
		}
	}
	return nil
}
