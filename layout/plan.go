// Package layout gives every pinned symbol of a program one address in all its builds,
// writes the linker scripts that put it there, and verifies what was linked.
package layout

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/migrated/migrated/layout/region"
)

// A Slot is the place of one pinned symbol.
type Slot struct {
	Kind  Kind
	Name  string
	Addr  uint64   // the same in every build
	Align uint64   // the greatest that a build asks for
	Size  uint64   // the greatest of Sizes
	Sizes []uint64 // bytes in each build
}

// A Plan is the layout of an image. It is a pure function of the builds' sections.
type Plan struct {
	Builds []*Build // ordered by ISA, then level
	Slots  []Slot   // ordered by address
	// Bounds of the pinned areas.
	RodataEnd uint64 // pinned constants: [region.TextBase, RodataEnd)
	TextStart uint64 // pinned text: [TextStart, TextEnd); each build's own text follows
	TextEnd   uint64
	DataEnd   uint64 // initialised portable data: [region.StaticBase, DataEnd)
	StaticEnd uint64 // portable bss ends before this page boundary
}

// New plans the layout of the builds of one program.
func New(builds ...*Build) (*Plan, error) {
	if len(builds) == 0 {
		return nil, errors.New("plan layout: no builds")
	}
	p := &Plan{Builds: append([]*Build(nil), builds...)}
	sort.SliceStable(p.Builds, func(i, j int) bool { return before(p.Builds[i], p.Builds[j]) })
	for i, b := range p.Builds[1:] {
		if !before(p.Builds[i], b) {
			return nil, fmt.Errorf("plan layout: build %s is given twice", b.Name())
		}
	}
	slots, err := merge(p.Builds)
	if err != nil {
		return nil, fmt.Errorf("plan layout: %w", err)
	}
	p.place(slots)
	if err := p.checkBounds(); err != nil {
		return nil, fmt.Errorf("plan layout: %w", err)
	}
	return p, nil
}

func before(a, b *Build) bool {
	if a.ISA.Name != b.ISA.Name {
		return a.ISA.Name < b.ISA.Name
	}
	return a.ISA.Rank(a.Level) < b.ISA.Rank(b.Level)
}

// maxSize of one symbol keeps sums of sizes from running over; no region is as large.
const maxSize = 1 << 36

type key struct {
	kind Kind
	name string
}

// merge unites the pinned sections of all builds, in the order of the first build, which is
// the compiler's: what calls each other tends to lie together.
func merge(builds []*Build) ([]Slot, error) {
	var slots []Slot
	index := make(map[key]int)
	for n, b := range builds {
		seen := make(map[key]bool)
		for _, s := range b.Sections {
			if s.Kind.prefix() == "" {
				continue
			}
			if s.Size > maxSize || s.Align > maxSize {
				return nil, fmt.Errorf("%s %s has %d bytes aligned to %d in build %s, which cannot be placed",
					s.Kind, s.Name, s.Size, s.Align, b.Name())
			}
			k := key{s.Kind, s.Name}
			if seen[k] {
				return nil, fmt.Errorf("%s %s is defined twice in build %s", s.Kind, s.Name, b.Name())
			}
			seen[k] = true
			i, ok := index[k]
			if !ok {
				if n > 0 {
					return nil, fmt.Errorf("%s %s is in build %s but not in %s", s.Kind, s.Name, b.Name(), builds[0].Name())
				}
				i = len(slots)
				index[k] = i
				slots = append(slots, Slot{Kind: s.Kind, Name: s.Name, Align: 1})
			}
			slot := &slots[i]
			slot.Sizes = append(slot.Sizes, s.Size)
			slot.Size = max(slot.Size, s.Size)
			slot.Align = max(slot.Align, s.Align)
			if s.Kind != PinnedText && s.Size != slot.Sizes[0] {
				return nil, fmt.Errorf("%s %s has %d bytes in build %s but %d in %s",
					s.Kind, s.Name, slot.Sizes[0], builds[0].Name(), s.Size, b.Name())
			}
		}
		for k, i := range index {
			if len(slots[i].Sizes) != n+1 {
				return nil, fmt.Errorf("%s %s is in build %s but not in %s", k.kind, k.name, builds[0].Name(), b.Name())
			}
		}
	}
	return slots, nil
}

// place assigns addresses, kind by kind.
func (p *Plan) place(slots []Slot) {
	byKind := make(map[Kind][]Slot)
	for _, s := range slots {
		byKind[s.Kind] = append(byKind[s.Kind], s)
	}
	p.RodataEnd = p.placeKind(byKind[PinnedRodata], region.TextBase)
	p.TextStart = region.PageUp(p.RodataEnd)
	p.TextEnd = p.placeKind(byKind[PinnedText], p.TextStart)
	p.DataEnd = p.placeKind(byKind[PinnedData], region.StaticBase)
	// A page holds initialised data or zeroes, so that a host can leave the latter out.
	p.StaticEnd = region.PageUp(p.placeKind(byKind[PinnedBSS], region.PageUp(p.DataEnd)))
}

// placeKind puts slots behind each other from addr on, and returns the end. Data is
// ordered by falling alignment, which leaves hardly a hole; functions keep their order, as
// they are aligned alike and their neighbours are who they call.
func (p *Plan) placeKind(slots []Slot, addr uint64) uint64 {
	if len(slots) > 0 && slots[0].Kind != PinnedText {
		sort.SliceStable(slots, func(i, j int) bool { return slots[i].Align > slots[j].Align })
	}
	for _, s := range slots {
		s.Addr = alignUp(addr, s.Align)
		addr = s.Addr + s.Size
		p.Slots = append(p.Slots, s)
	}
	return addr
}

func alignUp(addr, align uint64) uint64 { return (addr + align - 1) &^ (align - 1) }

// checkBounds refuses a plan that does not fit the contract's regions.
func (p *Plan) checkBounds() error {
	if p.StaticEnd > region.StaticLimit {
		return &StaticTooBigError{Size: p.StaticEnd - region.StaticBase, Largest: p.largest(PinnedData, PinnedBSS)}
	}
	for i, b := range p.Builds {
		text, rodata, data := p.TextEnd, uint64(0), uint64(region.PrivateBase)
		for _, s := range b.Sections {
			switch s.Kind {
			case PrivateText:
				text = alignUp(text, s.Align) + s.Size
			case PrivateRodata:
				rodata = alignUp(rodata, s.Align) + s.Size
			case PrivateData:
				data = alignUp(data, s.Align) + s.Size
			}
		}
		if n := text - p.TextStart; n > region.TextReach {
			return fmt.Errorf("text of build %s has %d MiB, more than the %d MiB that a call reaches; the largest pinned functions: %s",
				b.Name(), n>>20, region.TextReach>>20, listed(p.largest(PinnedText), i))
		}
		if region.PageUp(text)+rodata > region.PrivateBase {
			return fmt.Errorf("text and constants of build %s do not fit below %#x; the largest constants: %s",
				b.Name(), region.PrivateBase, listed(p.largest(PinnedRodata), i))
		}
		if data > region.PortableBase {
			return fmt.Errorf("data of native objects of build %s does not fit below %#x", b.Name(), region.PortableBase)
		}
	}
	return nil
}

// largest returns the five largest slots of some kinds.
func (p *Plan) largest(kinds ...Kind) []Slot {
	var slots []Slot
	for _, s := range p.Slots {
		for _, k := range kinds {
			if s.Kind == k {
				slots = append(slots, s)
			}
		}
	}
	sort.SliceStable(slots, func(i, j int) bool { return slots[i].Size > slots[j].Size })
	return slots[:min(5, len(slots))]
}

func listed(slots []Slot, build int) string {
	var names []string
	for _, s := range slots {
		names = append(names, fmt.Sprintf("%s (%d bytes)", s.Name, s.Sizes[build]))
	}
	return strings.Join(names, ", ")
}

// A StaticTooBigError says that a program's static data passes 2 GiB.
type StaticTooBigError struct {
	Size    uint64 // bytes of static data
	Largest []Slot // the largest symbols, largest first
	// Files says where a symbol is defined; who knows fills it in.
	Files map[string]string
}

func (e *StaticTooBigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "static data has %d MiB, more than the %d MiB that an image can hold below 2 GiB; allocate the largest at run time:",
		e.Size>>20, uint64(region.StaticLimit-region.StaticBase)>>20)
	for _, s := range e.Largest {
		fmt.Fprintf(&b, "\n>>> %s (%d bytes)", s.Name, s.Size)
		if file := e.Files[s.Name]; file != "" {
			fmt.Fprintf(&b, " of %s", file)
		}
	}
	return b.String()
}
