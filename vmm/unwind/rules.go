package unwind

import (
	"errors"
	"fmt"
)

// columns bounds the registers that are followed; more (vector registers) are read over.
const columns = 64

// A rule says how a register of the caller is found: DWARF 5, 6.4.1.
type rule struct {
	kind   ruleKind
	reg    uint64
	offset int64
}

type ruleKind byte

const (
	ruleSame      ruleKind = iota // as in the callee; also where nothing was said
	ruleUndefined                 // lost
	ruleOffset                    // saved at CFA + offset
	ruleValOffset                 // is CFA + offset
	ruleRegister                  // in reg
	ruleUnknown                   // an expression: not evaluated here
)

// A row is one row of the table that call frame information stands for.
type row struct {
	cfa  rule // ruleRegister with an offset, or ruleUnknown
	regs [columns]rule
}

// Call frame instructions: DWARF 5, 7.24, table 7.29.
const (
	cfaAdvanceLoc      = 0x40 // high two bits; the low six are the operand
	cfaOffset          = 0x80
	cfaRestore         = 0xc0
	cfaNop             = 0x00
	cfaSetLoc          = 0x01
	cfaAdvanceLoc1     = 0x02
	cfaAdvanceLoc2     = 0x03
	cfaAdvanceLoc4     = 0x04
	cfaOffsetExt       = 0x05
	cfaRestoreExt      = 0x06
	cfaUndefined       = 0x07
	cfaSameValue       = 0x08
	cfaRegister        = 0x09
	cfaRememberState   = 0x0a
	cfaRestoreState    = 0x0b
	cfaDefCFA          = 0x0c
	cfaDefCFARegister  = 0x0d
	cfaDefCFAOffset    = 0x0e
	cfaDefCFAExpr      = 0x0f
	cfaExpression      = 0x10
	cfaOffsetExtSF     = 0x11
	cfaDefCFASF        = 0x12
	cfaDefCFAOffsetSF  = 0x13
	cfaValOffset       = 0x14
	cfaValOffsetSF     = 0x15
	cfaValExpression   = 0x16
	cfaNegateRAState   = 0x2d // AADWARF64, 4.3: DW_CFA_AARCH64_negate_ra_state
	cfaGNUArgsSize     = 0x2e // LSB Core 5.0, 10.6.1.3.1
	cfaGNUNegOffsetExt = 0x2f // LSB Core 5.0, 10.6.1.3.1
)

// maxRemembered bounds the stack of remembered rows.
const maxRemembered = 32

var errDepth = errors.New("rows are remembered too deeply")

// initialRow is the row at the entry of a function.
func (c *cie) initialRow() (row, error) {
	var w row
	err := c.execute(&w, nil, c.initial, c.addr, 0, 0)
	return w, err
}

// rowAt is the row at pc, which f covers.
func (t *Table) rowAt(f *fde, pc uint64) (row, error) {
	c := &t.cies[f.cie]
	w, err := c.initialRow()
	if err != nil {
		return w, err
	}
	initial := w
	err = c.execute(&w, &initial, f.program, f.addr, f.start, pc)
	return w, err
}

// execute runs instructions on w until they are about a location behind pc. initial is what
// a restore goes back to.
func (c *cie) execute(w, initial *row, program []byte, addr, loc, pc uint64) error {
	var remembered []row
	r := reader{b: program, addr: addr}
	for len(r.b) > 0 && r.err == nil {
		op := r.u8()
		var advance uint64
		switch op & 0xc0 {
		case cfaAdvanceLoc:
			advance = uint64(op & 0x3f)
			op = cfaAdvanceLoc1
		case cfaOffset:
			w.set(uint64(op&0x3f), rule{kind: ruleOffset, offset: int64(r.uleb()) * c.dataAlign})
			continue
		case cfaRestore:
			w.restore(uint64(op&0x3f), initial)
			continue
		default:
			switch op {
			case cfaAdvanceLoc1:
				advance = r.uint(1)
			case cfaAdvanceLoc2:
				advance = r.uint(2)
			case cfaAdvanceLoc4:
				advance = r.uint(4)
			}
		}
		switch op {
		case cfaNop, cfaNegateRAState:
		case cfaSetLoc:
			loc = r.pointer(c.encoding)
			if loc > pc {
				return r.err
			}
		case cfaAdvanceLoc1, cfaAdvanceLoc2, cfaAdvanceLoc4:
			loc += advance * c.codeAlign
			if loc > pc {
				return r.err
			}
		case cfaOffsetExt:
			w.set(r.uleb(), rule{kind: ruleOffset, offset: int64(r.uleb()) * c.dataAlign})
		case cfaOffsetExtSF:
			w.set(r.uleb(), rule{kind: ruleOffset, offset: r.sleb() * c.dataAlign})
		case cfaGNUNegOffsetExt:
			w.set(r.uleb(), rule{kind: ruleOffset, offset: -int64(r.uleb()) * c.dataAlign})
		case cfaValOffset:
			w.set(r.uleb(), rule{kind: ruleValOffset, offset: int64(r.uleb()) * c.dataAlign})
		case cfaValOffsetSF:
			w.set(r.uleb(), rule{kind: ruleValOffset, offset: r.sleb() * c.dataAlign})
		case cfaRestoreExt:
			w.restore(r.uleb(), initial)
		case cfaUndefined:
			w.set(r.uleb(), rule{kind: ruleUndefined})
		case cfaSameValue:
			w.set(r.uleb(), rule{kind: ruleSame})
		case cfaRegister:
			w.set(r.uleb(), rule{kind: ruleRegister, reg: r.uleb()})
		case cfaRememberState:
			if len(remembered) == maxRemembered {
				return errDepth
			}
			remembered = append(remembered, *w)
		case cfaRestoreState:
			if len(remembered) == 0 {
				return errors.New("no row is remembered")
			}
			*w = remembered[len(remembered)-1]
			remembered = remembered[:len(remembered)-1]
		case cfaDefCFA:
			w.cfa = rule{kind: ruleRegister, reg: r.uleb(), offset: int64(r.uleb())}
		case cfaDefCFASF:
			w.cfa = rule{kind: ruleRegister, reg: r.uleb(), offset: r.sleb() * c.dataAlign}
		case cfaDefCFARegister:
			w.cfa.reg = r.uleb()
		case cfaDefCFAOffset:
			w.cfa.offset = int64(r.uleb())
		case cfaDefCFAOffsetSF:
			w.cfa.offset = r.sleb() * c.dataAlign
		case cfaDefCFAExpr:
			r.take(r.uleb())
			w.cfa = rule{kind: ruleUnknown}
		case cfaExpression, cfaValExpression:
			reg := r.uleb()
			r.take(r.uleb())
			w.set(reg, rule{kind: ruleUnknown})
		case cfaGNUArgsSize:
			r.uleb()
		default:
			return fmt.Errorf("call frame instruction %#x is not known", op)
		}
	}
	return r.err
}

func (w *row) set(reg uint64, r rule) {
	if reg < columns {
		w.regs[reg] = r
	}
}

func (w *row) restore(reg uint64, initial *row) {
	if reg >= columns {
		return
	}
	if initial == nil { // in a CIE itself
		w.regs[reg] = rule{}
		return
	}
	w.regs[reg] = initial.regs[reg]
}
