package layout

import (
	"debug/elf"
	"fmt"
	"io"
	"strings"

	"github.com/migrated/migrated/isa"
)

// A Section is what the planner knows of a section of a relocatable object.
type Section struct {
	Kind  Kind
	Name  string // symbol name for a pinned kind, else the section's name
	Size  uint64 // bytes
	Align uint64 // bytes, a power of two
}

// A Build is one build before it is linked: the sections of all its objects.
type Build struct {
	ISA      *isa.ISA
	Level    string // isa.Level.Name
	Sections []Section
	// Symbols of other objects whose address pinned data holds; where they are is known
	// when the build is linked.
	External []Reference
	// Symbols that the program's objects leave to others, or undefined.
	Undefined []string
}

// A Reference is an address in pinned data.
type Reference struct {
	Section string // which holds it
	Symbol  string // whose it is
}

// Name names a build in messages and tables: its level, which implies the ISA.
func (b *Build) Name() string { return b.Level }

// AddObject reads the sections of a relocatable ELF file into the build. A native object
// (one not made of portable code) alone may have writable data of its own, and alone may
// refer to it from anywhere.
func (b *Build) AddObject(r io.ReaderAt, native bool) error {
	f, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	if f.Type != elf.ET_REL {
		return fmt.Errorf("not a relocatable object but %v", f.Type)
	}
	if f.Machine != b.ISA.Machine {
		return fmt.Errorf("object is for %v, build %s is for %v", f.Machine, b.Name(), b.ISA.Machine)
	}
	kinds := make([]Kind, len(f.Sections))
	for i, s := range f.Sections {
		if s.Type == elf.SHT_NULL || s.Size == 0 && !strings.HasPrefix(s.Name, ".mig.") {
			continue
		}
		kind, err := classify(&s.SectionHeader)
		if err != nil {
			return err
		}
		kinds[i] = kind
		if kind == Ignored {
			continue
		}
		if kind == PrivateData && !native {
			return fmt.Errorf("portable code has a variable in section %s, which would not travel", s.Name)
		}
		align := max(s.Addralign, 1)
		if align&(align-1) != 0 {
			return fmt.Errorf("section %s has alignment %d, not a power of two", s.Name, align)
		}
		b.Sections = append(b.Sections, Section{
			Kind:  kind,
			Name:  strings.TrimPrefix(s.Name, kind.prefix()),
			Size:  s.Size,
			Align: align,
		})
	}
	return b.addReferences(f, kinds, native)
}

// addReferences refuses pinned data that holds an address of one build alone.
func (b *Build) addReferences(f *elf.File, kinds []Kind, native bool) error {
	symbols, err := f.Symbols()
	if err != nil && err != elf.ErrNoSymbols {
		return fmt.Errorf("read symbols: %w", err)
	}
	for _, s := range symbols {
		switch {
		case native:
		case s.Section == elf.SHN_COMMON:
			return fmt.Errorf("portable code has a common symbol %s", s.Name)
		case s.Section == elf.SHN_UNDEF && s.Name != "":
			b.Undefined = append(b.Undefined, s.Name)
		}
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA || int(s.Info) >= len(kinds) {
			continue
		}
		switch kinds[s.Info] {
		case PinnedData, PinnedRodata:
		default:
			continue
		}
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("read %s: %w", s.Name, err)
		}
		// Elf64_Rela is r_offset, r_info (symbol in its high half), r_addend: gABI, ch. 4
		// "Relocation".
		for ; len(data) >= 24; data = data[24:] {
			n := f.ByteOrder.Uint32(data[12:])
			if n == 0 || int(n) > len(symbols) {
				continue
			}
			sym := symbols[n-1]
			if sym.Section == elf.SHN_UNDEF {
				b.External = append(b.External, Reference{f.Sections[s.Info].Name, sym.Name})
				continue
			}
			if int(sym.Section) >= len(kinds) {
				continue // absolute
			}
			switch kinds[sym.Section] {
			case PrivateText, PrivateRodata, PrivateData:
				return fmt.Errorf("%s holds the address of %s, which differs between builds",
					f.Sections[s.Info].Name, describe(f, sym))
			}
		}
	}
	return nil
}

func describe(f *elf.File, s elf.Symbol) string {
	if s.Name != "" {
		return s.Name
	}
	return "section " + f.Sections[s.Section].Name
}
