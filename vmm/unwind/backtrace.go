package unwind

import (
	"encoding/binary"

	"github.com/migrated/migrated/isa"
)

// Memory copies guest memory into b, or fails.
type Memory func(addr uint64, b []byte) error

// A Frame is one function that has not returned.
type Frame struct {
	PC uint64
	// Call: PC is a return address. The call, and so the line, is before it.
	Call bool
}

// Backtrace returns the functions on the stack, innermost first and at most limit. regs are
// the registers at pc by DWARF number. It ends where call frame information or memory says
// nothing sensible; the first frame is always there.
func (t *Table) Backtrace(a *isa.ISA, regs []uint64, pc uint64, mem Memory, limit int) []Frame {
	frames := []Frame{{PC: pc}}
	state := make([]uint64, columns)
	copy(state, regs)
	var sp uint64
	for len(frames) < limit {
		last := &frames[len(frames)-1]
		next, ok := t.caller(a, state, last, mem)
		// A stack grows down: a caller's frame is never below. Where it is at the same
		// place, as of a function that has saved nothing, only the PC may tell them apart.
		if !ok || next == 0 || state[a.DWARFSP] < sp || state[a.DWARFSP] == sp && next == last.PC {
			return frames
		}
		sp = state[a.DWARFSP]
		frames = append(frames, Frame{PC: next, Call: true})
	}
	return frames
}

// caller replaces the registers of a frame by its caller's, and returns the caller's PC.
func (t *Table) caller(a *isa.ISA, state []uint64, f *Frame, mem Memory) (uint64, bool) {
	w, c, ok := t.describe(f)
	if !ok || w.cfa.kind != ruleRegister || w.cfa.reg >= columns || c.ra >= columns {
		return 0, false
	}
	cfa := state[w.cfa.reg] + uint64(w.cfa.offset)
	next := make([]uint64, columns)
	lost := [columns]bool{}
	for i, r := range w.regs {
		switch r.kind {
		case ruleSame:
			next[i] = state[i]
		case ruleOffset:
			var b [8]byte
			if mem(cfa+uint64(r.offset), b[:]) == nil {
				next[i] = binary.LittleEndian.Uint64(b[:])
			} else {
				lost[i] = true
			}
		case ruleValOffset:
			next[i] = cfa + uint64(r.offset)
		case ruleRegister:
			if r.reg < columns {
				next[i] = state[r.reg]
			} else {
				lost[i] = true
			}
		case ruleUndefined, ruleUnknown:
			lost[i] = true
		}
	}
	// The CFA is the caller's stack pointer before the call: DWARF 5, 6.4.
	next[a.DWARFSP] = cfa
	copy(state, next)
	return next[c.ra], !lost[c.ra]
}

// describe returns the row that holds for a frame.
func (t *Table) describe(f *Frame) (row, *cie, bool) {
	pc := f.PC
	if f.Call {
		pc-- // a call of a function that does not return may be the last instruction
	}
	if d, ok := t.find(pc); ok {
		// The row is that of the instruction that goes on, also after a call.
		w, err := t.rowAt(d, pc)
		return w, &t.cies[d.cie], err == nil
	}
	// The innermost frame may be nowhere: a wild jump, a call of a null pointer, or the
	// host's gate. Each is as if a function had just been entered.
	if f.Call || len(t.cies) == 0 {
		return row{}, nil, false
	}
	w, err := t.cies[0].initialRow()
	return w, &t.cies[0], err == nil
}
