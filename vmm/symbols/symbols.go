// Package symbols says which function and line of the source an address of a build belongs
// to, from its ELF file's symbol table and debug information.
package symbols

import (
	"bytes"
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
)

// A Table answers for one build.
type Table struct {
	functions []function        // by start
	named     map[string]uint64 // 0: more than one symbol has that name
	debug     *dwarf.Data
	sites     sites
}

type function struct {
	start, end uint64
	name       string
}

// A Location is where an address comes from; what is not known is zero.
type Location struct {
	Function string
	File     string
	Line     int
}

// Open reads a build's debug file. One without line tables is of use still.
func Open(file []byte) (t *Table, err error) {
	defer func() {
		// debug/elf and debug/dwarf do not promise to withstand hostile files.
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("debug file is corrupt: %v", p)
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("read the debug file: %w", err)
	}
	t = &Table{named: make(map[string]uint64)}
	syms, err := f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("read the symbol table: %w", err)
	}
	for _, s := range syms {
		if _, twice := t.named[s.Name]; twice {
			t.named[s.Name] = 0
		} else {
			t.named[s.Name] = s.Value
		}
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF {
			// A function in assembly may have no size: it ends where the next begins.
			t.functions = append(t.functions, function{s.Value, s.Value + s.Size, s.Name})
		}
	}
	slices.SortStableFunc(t.functions, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	if d, err := f.DWARF(); err == nil {
		t.debug = d
	}
	if section := f.Section(SitesSection); section != nil {
		text, err := section.Data()
		if err != nil {
			return nil, fmt.Errorf("read the lines of sites: %w", err)
		}
		t.sites = parseSites(string(text))
	}
	return t, nil
}

// Address returns where the one symbol of that name lies; false: there is none, or several.
func (t *Table) Address(name string) (uint64, bool) {
	if t == nil {
		return 0, false
	}
	addr := t.named[name]
	return addr, addr != 0
}

// Lookup returns where pc comes from: the function inlined innermost first, at the end the
// one that really has the code. It returns nil where nothing is known, as by a nil Table.
func (t *Table) Lookup(pc uint64) []Location {
	if t == nil {
		return nil
	}
	name := t.function(pc)
	chain := t.lines(pc)
	if len(chain) == 0 {
		if name == "" {
			return nil
		}
		return []Location{{Function: name}}
	}
	// The symbol is what the linker saw: with the suffix of a clone, where there is one.
	if last := &chain[len(chain)-1]; name != "" {
		last.Function = name
	}
	return chain
}

// Site returns where a site of frame records is in the source, like Lookup; nil where that is not
// known.
func (t *Table) Site(n uint32) []Location {
	if t == nil {
		return nil
	}
	return t.sites.at(n)
}

func (t *Table) function(pc uint64) string {
	i, found := slices.BinarySearchFunc(t.functions, pc, func(f function, pc uint64) int { return cmp.Compare(f.start, pc) })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	if f := t.functions[i]; pc < f.end || f.start == f.end {
		return f.name
	}
	return ""
}
