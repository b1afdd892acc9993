package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/layout/region"
)

// A Table explains a plan. Its JSON is kept in the image, and the digest of that names the
// layout.
type Table struct {
	Builds  []BuildTotals `json:"builds"`
	Symbols []Row         `json:"symbols"` // ordered by address
	End     uint64        `json:"end"`     // first portable address behind static data
}

// A Row is one pinned symbol.
type Row struct {
	Addr    uint64   `json:"addr"`
	Kind    string   `json:"kind"` // "rodata", "text", "data", "bss"
	Name    string   `json:"name"`
	Sizes   []uint64 `json:"sizes"`   // bytes in each build
	Padding []uint64 `json:"padding"` // bytes in each build, from its end to the next symbol
}

// BuildTotals sums up a build; all fields are bytes. Text and Rodata leave out what the
// linker takes from the compiler's runtime library.
type BuildTotals struct {
	ISA          string `json:"isa"`
	Level        string `json:"level"`
	PinnedRodata uint64 `json:"pinned_rodata"`
	PinnedText   uint64 `json:"pinned_text"`
	Data         uint64 `json:"data"`
	BSS          uint64 `json:"bss"`
	OwnText      uint64 `json:"own_text"`
	OwnRodata    uint64 `json:"own_rodata"` // unwind tables included
	OwnData      uint64 `json:"own_data"`
	Padding      uint64 `json:"padding"` // what the common addresses cost this build
}

// Table returns the plan's table.
func (p *Plan) Table() *Table {
	t := &Table{End: p.StaticEnd}
	for _, b := range p.Builds {
		totals := BuildTotals{ISA: b.ISA.Name, Level: b.Level}
		for _, s := range b.Sections {
			*totals.field(s.Kind) += s.Size
		}
		t.Builds = append(t.Builds, totals)
	}
	for i, s := range p.Slots {
		row := Row{Addr: s.Addr, Kind: s.Kind.String(), Name: s.Name, Sizes: s.Sizes}
		next := s.Addr + s.Size
		if i+1 < len(p.Slots) && p.Slots[i+1].Kind == s.Kind {
			next = p.Slots[i+1].Addr
		}
		for n, size := range s.Sizes {
			pad := next - s.Addr - size
			row.Padding = append(row.Padding, pad)
			t.Builds[n].Padding += pad
		}
		t.Symbols = append(t.Symbols, row)
	}
	return t
}

func (t *BuildTotals) field(k Kind) *uint64 {
	switch k {
	case PinnedRodata:
		return &t.PinnedRodata
	case PinnedText:
		return &t.PinnedText
	case PinnedData:
		return &t.Data
	case PinnedBSS:
		return &t.BSS
	case PrivateText:
		return &t.OwnText
	case PrivateRodata:
		return &t.OwnRodata
	case PrivateData:
		return &t.OwnData
	}
	return new(uint64)
}

// Encode returns the table's canonical JSON.
func (t *Table) Encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // numbers and strings alone cannot fail
	}
	return b
}

// Hash names the layout: "sha256:" and the digest of Encode.
func (t *Table) Hash() string {
	sum := sha256.Sum256(t.Encode())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// DecodeTable reads what Encode wrote.
func DecodeTable(b []byte) (*Table, error) {
	t := new(Table)
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("decode layout table: %w", err)
	}
	for _, b := range t.Builds {
		if i := isa.ByName(b.ISA); i == nil || i.Rank(b.Level) < 0 {
			return nil, fmt.Errorf("decode layout table: unknown build %s %s", b.ISA, b.Level)
		}
	}
	for _, r := range t.Symbols {
		if len(r.Sizes) != len(t.Builds) || len(r.Padding) != len(t.Builds) {
			return nil, fmt.Errorf("decode layout table: %s lacks a build", r.Name)
		}
	}
	return t, nil
}

// Print writes the table for people.
func (t *Table) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprint(tw, "ADDRESS\tKIND")
	for _, b := range t.Builds {
		fmt.Fprintf(tw, "\t%s\tPADDING", b.Level)
	}
	fmt.Fprintln(tw, "\tSYMBOL")
	for _, r := range t.Symbols {
		fmt.Fprintf(tw, "%#x\t%s", r.Addr, r.Kind)
		for i := range t.Builds {
			fmt.Fprintf(tw, "\t%d\t%d", r.Sizes[i], r.Padding[i])
		}
		fmt.Fprintf(tw, "\t%s\n", r.Name)
	}
	fmt.Fprintln(tw, "\nTOTAL\tRODATA\tTEXT\tDATA\tBSS\tOWN TEXT\tOWN RODATA\tOWN DATA\tPADDING")
	for _, b := range t.Builds {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", b.Level, b.PinnedRodata, b.PinnedText,
			b.Data, b.BSS, b.OwnText, b.OwnRodata, b.OwnData, b.Padding)
	}
	fmt.Fprintf(tw, "\nstatic data\t[%#x, %#x)\n", uint64(region.StaticBase), t.End)
	fmt.Fprintf(tw, "layout\t%s\n", t.Hash())
	return tw.Flush()
}
