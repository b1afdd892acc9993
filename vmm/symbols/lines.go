package symbols

import "debug/dwarf"

// maxInlined bounds the functions inlined into each other at one address.
const maxInlined = 32

// lines returns the chain of locations that the debug information has for pc.
func (t *Table) lines(pc uint64) (chain []Location) {
	if t.debug == nil {
		return nil
	}
	defer func() {
		if recover() != nil { // as in Open
			chain = nil
		}
	}()
	r := t.debug.Reader()
	unit, err := r.SeekPC(pc)
	if err != nil || unit == nil {
		return nil
	}
	line, err := t.debug.LineReader(unit)
	if err != nil || line == nil {
		return nil
	}
	here := Location{}
	if row := find(line, pc); row != nil && row.File != nil {
		here.File, here.Line = row.File.Name, row.Line
	}
	chain = []Location{here}
	// Each inlined function names itself and the line in the next outer one from which it
	// was called: DWARF 5, 3.3.8 "Inlined Subroutines".
	for _, e := range t.enclosing(r, pc) {
		last := &chain[len(chain)-1]
		last.Function = t.name(e)
		if e.Tag == dwarf.TagInlinedSubroutine {
			outer := Location{}
			if i, ok := e.Val(dwarf.AttrCallFile).(int64); ok {
				if files := line.Files(); i >= 0 && i < int64(len(files)) && files[i] != nil {
					outer.File = files[i].Name
				}
			}
			if n, ok := e.Val(dwarf.AttrCallLine).(int64); ok {
				outer.Line = int(n)
			}
			chain = append(chain, outer)
		}
	}
	return chain
}

// find returns the row of a line table that holds for pc; nil if none does. LineReader's own
// SeekPC takes the first sequence to have the lowest addresses, but with a section for each
// function the linker chooses their order: DWARF 5, 6.2.5.
func find(lines *dwarf.LineReader, pc uint64) *dwarf.LineEntry {
	var row, next dwarf.LineEntry
	for inSequence := false; lines.Next(&next) == nil; row, inSequence = next, !next.EndSequence {
		if inSequence && row.Address <= pc && pc < next.Address {
			return &row
		}
	}
	return nil
}

// enclosing returns the subprogram at pc and what is inlined there, innermost first. r is
// behind the unit's entry.
func (t *Table) enclosing(r *dwarf.Reader, pc uint64) []*dwarf.Entry {
	var found []*dwarf.Entry // outermost first
	for depth := 1; depth > 0; {
		e, err := r.Next()
		if err != nil || e == nil {
			break
		}
		if e.Tag == 0 {
			depth--
			continue
		}
		switch e.Tag {
		case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine:
			if !t.covers(e, pc) {
				r.SkipChildren()
				continue
			}
			if len(found) == maxInlined {
				return nil
			}
			found = append(found, e)
		case dwarf.TagLexDwarfBlock:
		default:
			r.SkipChildren()
			continue
		}
		if e.Children {
			depth++
		}
	}
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found
}

func (t *Table) covers(e *dwarf.Entry, pc uint64) bool {
	ranges, err := t.debug.Ranges(e)
	if err != nil {
		return false
	}
	for _, r := range ranges {
		if pc >= r[0] && pc < r[1] {
			return true
		}
	}
	return false
}

// name follows an entry's references to the one that has a name.
func (t *Table) name(e *dwarf.Entry) string {
	for range maxInlined {
		if s, ok := e.Val(dwarf.AttrName).(string); ok {
			return s
		}
		off, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			if off, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset); !ok {
				return ""
			}
		}
		r := t.debug.Reader()
		r.Seek(off)
		next, err := r.Next()
		if err != nil || next == nil {
			return ""
		}
		e = next
	}
	return ""
}
