package layout

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/migrated/migrated/layout/region"
)

// Verify reads the linked ELF files of a plan's builds back, in the order of p.Builds, and
// returns the first disagreement with the plan, with the program's sites or between them.
func (p *Plan) Verify(sites []Site, linked ...io.ReaderAt) error {
	if len(linked) != len(p.Builds) {
		return fmt.Errorf("verify layout: %d files for %d builds", len(linked), len(p.Builds))
	}
	var first *linkedBuild
	for i, r := range linked {
		b, err := p.verifyBuild(i, r, sites)
		if err == nil && first != nil {
			err = first.agree(b)
		}
		if err != nil {
			return fmt.Errorf("verify layout of build %s: %w", p.Builds[i].Name(), err)
		}
		if first == nil {
			first = b
		}
	}
	return nil
}

// A linkedBuild is what the builds of an image must have in common.
type linkedBuild struct {
	name    string
	symbols map[string]elf.Symbol
	absent  map[string]bool   // weak symbols that the program refers to and nothing defines
	content map[string][]byte // of what must be equal byte for byte
}

// loaded lists every section that a linked build may load, by the linker script.
var loaded = map[string]elf.SectionFlag{
	".mig.rodata":       0,
	".mig.text":         elf.SHF_EXECINSTR,
	".text":             elf.SHF_EXECINSTR,
	".rodata":           0,
	".gcc_except_table": 0,
	".got":              elf.SHF_WRITE, // never written: nothing is relocated at run time
	".eh_frame_hdr":     0,
	".eh_frame":         0,
	".data":             elf.SHF_WRITE,
	".bss":              elf.SHF_WRITE,
	".mig.data":         elf.SHF_WRITE,
	".mig.bss":          elf.SHF_WRITE,
}

func (p *Plan) verifyBuild(n int, r io.ReaderAt, sites []Site) (*linkedBuild, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	if f.Type != elf.ET_EXEC || f.Machine != p.Builds[n].ISA.Machine {
		return nil, fmt.Errorf("linked file is %v for %v", f.Type, f.Machine)
	}
	for _, prog := range f.Progs {
		switch prog.Type {
		case elf.PT_TLS, elf.PT_DYNAMIC, elf.PT_INTERP:
			return nil, fmt.Errorf("unexpected segment %v", prog.Type)
		}
	}
	if err := p.verifySections(f); err != nil {
		return nil, err
	}
	b := &linkedBuild{name: p.Builds[n].Name(), content: make(map[string][]byte)}
	if b.symbols, err = readSymbols(f); err != nil {
		return nil, err
	}
	if s, ok := b.symbols[Entry]; !ok || s.Value != f.Entry {
		return nil, fmt.Errorf("the entry point %#x is not %s", f.Entry, Entry)
	}
	if err := p.verifySlots(n, b.symbols); err != nil {
		return nil, err
	}
	if err := p.verifyReferences(n, b.symbols); err != nil {
		return nil, err
	}
	if err := verifySites(b, f, sites); err != nil {
		return nil, err
	}
	b.absent = make(map[string]bool)
	for _, name := range p.Builds[n].Undefined {
		if _, ok := b.symbols[name]; !ok {
			b.absent[name] = true
		}
	}
	return b, b.readContent(f)
}

// verifySections checks kinds and bounds of what is loaded.
func (p *Plan) verifySections(f *elf.File) error {
	const access = elf.SHF_WRITE | elf.SHF_EXECINSTR | elf.SHF_TLS
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		flags, ok := loaded[s.Name]
		if !ok {
			return fmt.Errorf("unexpected section %s at %#x", s.Name, s.Addr)
		}
		if s.Flags&access&^flags != 0 {
			return fmt.Errorf("section %s has flags %v", s.Name, s.Flags)
		}
		var low, high uint64
		switch s.Name {
		case ".mig.rodata":
			low, high = region.TextBase, p.RodataEnd
		case ".mig.text":
			low, high = p.TextStart, p.TextEnd
		case ".text":
			low, high = p.TextEnd, p.TextStart+region.TextReach
		case ".data", ".bss":
			low, high = region.PrivateBase, region.PortableBase
		case ".mig.data":
			low, high = region.StaticBase, p.DataEnd
		case ".mig.bss":
			low, high = region.PageUp(p.DataEnd), p.StaticEnd
		default:
			low, high = p.TextEnd, region.PrivateBase
		}
		if s.Addr < low || s.Addr > high || s.Size > high-s.Addr {
			return fmt.Errorf("section %s at [%#x, %#x) is not within [%#x, %#x)", s.Name, s.Addr, s.Addr+s.Size, low, high)
		}
	}
	return nil
}

// readSymbols returns the named objects and functions, and refuses undefined symbols. A weak
// one may stay undefined: it is null in every build. (lld makes a hidden weak one local.)
func readSymbols(f *elf.File) (map[string]elf.Symbol, error) {
	list, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", err)
	}
	symbols := make(map[string]elf.Symbol, len(list))
	for _, s := range list {
		bind := elf.ST_BIND(s.Info)
		if s.Section == elf.SHN_UNDEF {
			if bind == elf.STB_GLOBAL {
				return nil, fmt.Errorf("undefined symbol %s", s.Name)
			}
			continue
		}
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_TLS:
			return nil, fmt.Errorf("native thread-local symbol %s", s.Name)
		case elf.STT_GNU_IFUNC:
			return nil, fmt.Errorf("indirect function %s", s.Name)
		}
		// A pinned symbol is global; a local one of native code may share its name.
		if old, ok := symbols[s.Name]; ok && elf.ST_BIND(old.Info) != elf.STB_LOCAL {
			continue
		}
		symbols[s.Name] = s
	}
	return symbols, nil
}

func (p *Plan) verifySlots(n int, symbols map[string]elf.Symbol) error {
	for _, slot := range p.Slots {
		s, ok := symbols[slot.Name]
		switch {
		case !ok:
			return fmt.Errorf("%s %s is missing", slot.Kind, slot.Name)
		case s.Value != slot.Addr:
			return fmt.Errorf("%s %s is at %#x, planned at %#x", slot.Kind, slot.Name, s.Value, slot.Addr)
		case s.Size > slot.Sizes[n], slot.Kind != PinnedText && s.Size != slot.Sizes[n]:
			return fmt.Errorf("%s %s has %d bytes, planned %d", slot.Kind, slot.Name, s.Size, slot.Sizes[n])
		}
	}
	return nil
}

// verifyReferences checks that what pinned data points at in other objects is pinned.
func (p *Plan) verifyReferences(n int, symbols map[string]elf.Symbol) error {
	for _, ref := range p.Builds[n].External {
		s, ok := symbols[ref.Symbol]
		if !ok {
			continue // weak and undefined: null
		}
		if !p.common(s.Value) && s.Section != elf.SHN_ABS {
			return fmt.Errorf("%s holds the address of %s, which differs between builds", ref.Section, ref.Symbol)
		}
	}
	return nil
}

// common reports whether an address means the same in all builds.
func (p *Plan) common(addr uint64) bool {
	return addr >= region.TextBase && addr < p.RodataEnd ||
		addr >= p.TextStart && addr < p.TextEnd ||
		addr >= region.PortableBase
}

// own lists symbols that lie among a build's own constants, but whose content must be the
// same in all builds.
var own = []string{siteCount, recordMax, "__mig_tls_image", "__mig_tls_size", "__mig_tls_align"}

func (b *linkedBuild) readContent(f *elf.File) error {
	for _, name := range []string{".mig.rodata", ".mig.data"} {
		if s := f.Section(name); s != nil && s.Size > 0 {
			data, err := s.Data()
			if err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			b.content[name] = data
		}
	}
	for _, name := range own {
		if _, ok := b.symbols[name]; !ok {
			continue
		}
		data, err := b.bytes(f, name)
		if err != nil {
			return err
		}
		b.content[name] = data
	}
	return nil
}

// bytes returns the content of a symbol.
func (b *linkedBuild) bytes(f *elf.File, name string) ([]byte, error) {
	s, ok := b.symbols[name]
	if !ok || int(s.Section) >= len(f.Sections) {
		return nil, fmt.Errorf("%s is missing", name)
	}
	section := f.Sections[s.Section]
	if s.Value < section.Addr || s.Value-section.Addr > section.Size || s.Size > section.Size-(s.Value-section.Addr) {
		return nil, fmt.Errorf("symbol %s is not within its section", name)
	}
	data := make([]byte, s.Size)
	if _, err := section.ReadAt(data, int64(s.Value-section.Addr)); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// agree compares what two builds must have in common.
func (b *linkedBuild) agree(other *linkedBuild) error {
	for _, name := range slices.Sorted(maps.Keys(b.absent)) {
		if _, ok := other.symbols[name]; ok {
			return fmt.Errorf("%s is defined, but not in build %s", name, b.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other.absent)) {
		if _, ok := b.symbols[name]; ok {
			return fmt.Errorf("%s is not defined, but is in build %s", name, b.name)
		}
	}
	for _, name := range append([]string{".mig.rodata", ".mig.data"}, own...) {
		a, aok := b.content[name]
		c, cok := other.content[name]
		if aok != cok || len(a) != len(c) {
			return fmt.Errorf("%s has %d bytes, but %d in build %s", name, len(c), len(a), b.name)
		}
		for i := range a {
			if a[i] != c[i] {
				return fmt.Errorf("%s differs from build %s at byte %d%s", name, b.name, i, b.at(name, i))
			}
		}
	}
	return nil
}

// at names the symbol that holds a byte of a pinned section.
func (b *linkedBuild) at(section string, offset int) string {
	base := map[string]uint64{".mig.rodata": region.TextBase, ".mig.data": region.StaticBase}[section]
	if base == 0 {
		return ""
	}
	addr := base + uint64(offset)
	for _, s := range b.symbols {
		if s.Value <= addr && addr-s.Value < s.Size {
			return fmt.Sprintf(", in %s+%d", s.Name, addr-s.Value)
		}
	}
	return ""
}
