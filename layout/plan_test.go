package layout

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/layout/region"
)

// genBuilds draws the builds of one program: equal pinned sections, but for the sizes of
// text, and private sections of each build's own.
func genBuilds(t *rapid.T) []*Build {
	levels := rapid.SampledFrom([][]string{
		{"x86-64-v3"}, {"x86-64-v3", "armv8-a"}, {"armv8-a", "armv8.2-a", "x86-64-v2", "x86-64-v4"},
	}).Draw(t, "levels")
	var builds []*Build
	for _, l := range levels {
		i, _, _ := isa.ByLevel(l)
		builds = append(builds, &Build{ISA: i, Level: l})
	}
	size := rapid.Uint64Range(0, 20000)
	align := rapid.SampledFrom([]uint64{1, 2, 4, 8, 16, 64, 4096})
	for n := range rapid.IntRange(0, 40).Draw(t, "symbols") {
		kind := rapid.SampledFrom(pinned[:]).Draw(t, "kind")
		bytes, a := size.Draw(t, "size"), align.Draw(t, "align")
		for _, b := range builds {
			s := Section{Kind: kind, Name: fmt.Sprint("s", n), Size: bytes, Align: a}
			if kind == PinnedText {
				s.Size, s.Align = size.Draw(t, "text size"), align.Draw(t, "text align")
			}
			b.Sections = append(b.Sections, s)
		}
	}
	for _, b := range builds {
		for range rapid.IntRange(0, 5).Draw(t, "private sections") {
			b.Sections = append(b.Sections, Section{
				Kind:  rapid.SampledFrom([]Kind{PrivateText, PrivateRodata, PrivateData}).Draw(t, "private kind"),
				Name:  "private",
				Size:  size.Draw(t, "private size"),
				Align: align.Draw(t, "private align"),
			})
		}
	}
	return builds
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		builds := genBuilds(t)
		p, err := New(builds...)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, s := range builds[0].Sections {
			if s.Kind.prefix() != "" {
				total++
			}
		}
		if len(p.Slots) != total {
			t.Fatalf("%d slots for %d symbols", len(p.Slots), total)
		}
		end := map[Kind]uint64{
			PinnedRodata: region.TextBase, PinnedText: p.TextStart,
			PinnedData: region.StaticBase, PinnedBSS: region.PageUp(p.DataEnd),
		}
		limit := map[Kind]uint64{
			PinnedRodata: p.RodataEnd, PinnedText: p.TextEnd, PinnedData: p.DataEnd, PinnedBSS: p.StaticEnd,
		}
		for _, s := range p.Slots {
			if s.Addr < end[s.Kind] {
				t.Fatalf("%s %s at %#x overlaps what ends at %#x", s.Kind, s.Name, s.Addr, end[s.Kind])
			}
			end[s.Kind] = s.Addr + s.Size
			if end[s.Kind] > limit[s.Kind] {
				t.Fatalf("%s %s ends at %#x, behind %#x", s.Kind, s.Name, end[s.Kind], limit[s.Kind])
			}
			for i, b := range p.Builds {
				in := section(b, s.Kind, s.Name)
				if s.Addr%in.Align != 0 || in.Size > s.Size || s.Sizes[i] != in.Size {
					t.Fatalf("slot %+v does not suit %+v of %s", s, in, b.Name())
				}
			}
		}
		if p.RodataEnd > p.TextStart || p.TextStart%region.PageSize != 0 || p.StaticEnd%region.PageSize != 0 {
			t.Fatalf("bounds %#x %#x %#x", p.RodataEnd, p.TextStart, p.StaticEnd)
		}
	})
}

func section(b *Build, k Kind, name string) Section {
	for _, s := range b.Sections {
		if s.Kind == k && s.Name == name {
			return s
		}
	}
	return Section{}
}

// A plan depends on the builds alone, not on the order that they are given in.
func TestPlanIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		builds := genBuilds(t)
		a, err := New(builds...)
		if err != nil {
			t.Fatal(err)
		}
		// The pinned sections' own order is the compiler's, the same in all builds.
		b, err := New(rapid.Permutation(builds).Draw(t, "order")...)
		if err != nil {
			t.Fatal(err)
		}
		if a.Table().Hash() != b.Table().Hash() || string(a.LinkerScript()) != string(b.LinkerScript()) {
			t.Fatal("two plans of the same builds differ")
		}
	})
}

// Data sorted by falling alignment has no hole but where a size is odd.
func TestDataIsDense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Build{ISA: isa.X86_64, Level: "x86-64-v3"}
		var sum uint64
		for n := range rapid.IntRange(1, 50).Draw(t, "symbols") {
			align := rapid.SampledFrom([]uint64{1, 4, 8, 16, 64}).Draw(t, "align")
			size := align * rapid.Uint64Range(1, 20).Draw(t, "units")
			sum += size
			b.Sections = append(b.Sections, Section{Kind: PinnedData, Name: fmt.Sprint(n), Size: size, Align: align})
		}
		p, err := New(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.DataEnd - region.StaticBase; got != sum {
			t.Fatalf("%d bytes of data take %d", sum, got)
		}
	})
}

func TestTableSurvivesEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := New(genBuilds(t)...)
		if err != nil {
			t.Fatal(err)
		}
		table := p.Table()
		again, err := DecodeTable(table.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash() != table.Hash() {
			t.Fatal("the table's hash changes when it is written and read")
		}
	})
}

func TestPlanRefuses(t *testing.T) {
	x86 := func(s ...Section) *Build { return &Build{ISA: isa.X86_64, Level: "x86-64-v3", Sections: s} }
	arm := func(s ...Section) *Build { return &Build{ISA: isa.AArch64, Level: "armv8-a", Sections: s} }
	text := func(name string, size uint64) Section { return Section{PinnedText, name, size, 16} }
	data := func(name string, size uint64) Section { return Section{PinnedData, name, size, 8} }
	for _, tt := range []struct {
		name   string
		builds []*Build
		want   string
	}{
		{"nothing", nil, "no builds"},
		{"a build twice", []*Build{x86(), x86()}, "build x86-64-v3 is given twice"},
		{"a symbol twice", []*Build{x86(text("f", 1), text("f", 2))}, "text f is defined twice in build x86-64-v3"},
		{"a symbol too few", []*Build{arm(text("f", 1)), x86()}, "text f is in build armv8-a but not in x86-64-v3"},
		{"a symbol too many", []*Build{arm(), x86(text("f", 1))}, "text f is in build x86-64-v3 but not in armv8-a"},
		{"unequal data", []*Build{arm(data("d", 8)), x86(data("d", 16))}, "data d has 8 bytes in build armv8-a but 16 in x86-64-v3"},
		{"absurd size", []*Build{x86(data("d", 1<<63))}, "cannot be placed"},
		{"far text", []*Build{arm(text("huge", 129<<20))}, "129 MiB, more than the 128 MiB that a call reaches; the largest pinned functions: huge"},
		{"far own text", []*Build{arm(Section{PrivateText, ".text", 129 << 20, 16})}, "more than the 128 MiB"},
		{"much rodata", []*Build{x86(Section{PinnedRodata, "table", 800 << 20, 16})}, "the largest constants: table"},
		{"much native data", []*Build{x86(Section{PrivateData, ".bss", 300 << 20, 16})}, "data of native objects"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.builds...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestTooMuchStaticDataNamesTheLargest(t *testing.T) {
	b := &Build{ISA: isa.X86_64, Level: "x86-64-v3"}
	for n := range 9 {
		b.Sections = append(b.Sections, Section{PinnedBSS, fmt.Sprint("array", n), uint64(n) * 100 << 20, 64})
	}
	_, err := New(b)
	var big *StaticTooBigError
	if !errors.As(err, &big) {
		t.Fatalf("error %v", err)
	}
	if len(big.Largest) != 5 || big.Largest[0].Name != "array8" || !strings.Contains(err.Error(), ">>> array8 (838860800 bytes)\n>>> array7") {
		t.Errorf("error %v", err)
	}
	if big.Size < 3600<<20 {
		t.Errorf("size %d", big.Size)
	}
}
