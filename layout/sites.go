package layout

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A Site is a place where a frame can be left, and what its record holds: a row of the site
// table (docs/runtime-abi.md, "Stages"), which means the same in all builds.
type Site struct {
	Function string
	Size     uint64 // of the record, bytes
	Values   []Value
}

// A Value lies in a record, or in __mig_result.
type Value struct {
	Type   string // of LLVM: "i32", "ptr", "double", or "4xfloat" for a vector
	Offset uint64
	Size   uint64 // bytes
}

// recordAlign is the alignment of records; no value in one needs more (compiler/record.cpp).
const recordAlign = 16

// ParseSites reads a site table, and refuses one whose values do not lie in their records
// aligned, apart from each other, and with sizes that all builds agree about.
func ParseSites(text []byte) ([]Site, error) {
	var sites []Site
	for line := range strings.Lines(string(text)) {
		s, err := parseSite(strings.TrimSuffix(line, "\n"), len(sites))
		if err != nil {
			return nil, fmt.Errorf("site table, line %d: %w", len(sites)+1, err)
		}
		sites = append(sites, s)
	}
	return sites, nil
}

func parseSite(line string, number int) (Site, error) {
	f := strings.Split(line, " ")
	if len(f) != 4 || f[0] != strconv.Itoa(number) || f[1] == "" {
		return Site{}, fmt.Errorf("%q is not site %d", line, number)
	}
	s := Site{Function: f[1]}
	var err error
	if s.Size, err = strconv.ParseUint(f[2], 10, 32); err != nil {
		return Site{}, fmt.Errorf("size of the record: %w", err)
	}
	end := uint64(0)
	for _, word := range strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' }) {
		v, err := parseValue(word)
		if err != nil {
			return Site{}, err
		}
		switch {
		case v.Offset < end:
			return Site{}, fmt.Errorf("%s in %s overlaps the value before it", word, s.Function)
		case v.Offset+v.Size > s.Size:
			return Site{}, fmt.Errorf("%s in %s does not lie in the record of %d bytes", word, s.Function, s.Size)
		case v.Offset%min(uint64(1)<<bits.Len64(v.Size-1), recordAlign) != 0:
			return Site{}, fmt.Errorf("%s in %s is not aligned", word, s.Function)
		}
		end = v.Offset + v.Size
		s.Values = append(s.Values, v)
	}
	return s, nil
}

func parseValue(word string) (Value, error) {
	name, at, ok := strings.Cut(word, "@")
	v := Value{Type: name}
	var err error
	if v.Offset, err = strconv.ParseUint(at, 10, 32); !ok || err != nil {
		return v, fmt.Errorf("%q does not say where a value lies", word)
	}
	if v.Size = sizeOf(name); v.Size == 0 {
		return v, fmt.Errorf("%s has no size that all builds agree about", word)
	}
	return v, nil
}

// sizeOf returns the bytes of a type as a record holds it, or 0.
func sizeOf(name string) uint64 {
	if n, lane, ok := strings.Cut(name, "x"); ok {
		lanes, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0
		}
		return lanes * sizeOf(lane)
	}
	switch name {
	case "half", "bfloat":
		return 2
	case "float":
		return 4
	case "double", "ptr":
		return 8
	case "fp128":
		return 16
	}
	n, ok := strings.CutPrefix(name, "i")
	width, err := strconv.ParseUint(n, 10, 24)
	if !ok || err != nil {
		return 0
	}
	switch {
	case width == 8, width == 16, width == 32, width > 0 && width%64 == 0:
		return width / 8
	}
	return 0
}

// Symbols of the site table in a linked build, and the end of a resume function's name.
const (
	siteTable  = "__mig_sites"
	siteCount  = "__mig_site_count"
	recordMax  = "__mig_record_max"
	resumeName = ".resume"
)

// verifySites checks that a build resumes each site with the function of that site, and that
// it has room for the largest record.
func verifySites(b *linkedBuild, f *elf.File, sites []Site) error {
	most := uint64(0)
	for _, s := range sites {
		most = max(most, s.Size)
	}
	for _, n := range []struct {
		name string
		want uint64
	}{{siteCount, uint64(len(sites))}, {recordMax, most}} {
		content, err := b.bytes(f, n.name)
		if err != nil {
			return err
		}
		if len(content) != 8 {
			return fmt.Errorf("%s has %d bytes", n.name, len(content))
		}
		if got := binary.LittleEndian.Uint64(content); got != n.want {
			return fmt.Errorf("%s is %d, by the site table %d", n.name, got, n.want)
		}
	}
	table, err := b.bytes(f, siteTable)
	if err != nil {
		return err
	}
	if len(table) != 8*len(sites) {
		return fmt.Errorf("%s has %d bytes for %d sites", siteTable, len(table), len(sites))
	}
	for n, s := range sites {
		at := binary.LittleEndian.Uint64(table[8*n:])
		resume, ok := b.symbols[s.Function+resumeName]
		if !ok {
			return fmt.Errorf("%s of site %d is missing", s.Function+resumeName, n)
		}
		if at != resume.Value {
			return fmt.Errorf("site %d resumes at %#x, but %s%s is at %#x", n, at, s.Function, resumeName, resume.Value)
		}
	}
	return nil
}
