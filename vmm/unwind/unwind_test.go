package unwind

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/migrated/migrated/isa"
)

// section builds an .eh_frame section of one CIE and FDEs.
type section struct{ b []byte }

func (s *section) entry(id uint32, body ...byte) {
	for len(body)%4 != 0 {
		body = append(body, cfaNop)
	}
	s.b = binary.LittleEndian.AppendUint32(s.b, uint32(len(body)+4))
	s.b = binary.LittleEndian.AppendUint32(s.b, id)
	s.b = append(s.b, body...)
}

// cieX86 is as clang writes it: code alignment 1, data alignment -8, return address in
// column 16, pcrel sdata4 pointers; CFA = rsp+8, return address at CFA-8.
func (s *section) cieX86() {
	s.entry(0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, pePCRel|peSdata4,
		cfaDefCFA, 7, 8, cfaOffset|16, 1)
}

func (s *section) fde(addr, start uint64, size uint32, program ...byte) {
	pointer := uint64(len(s.b)) + 8 + addr
	body := binary.LittleEndian.AppendUint32(nil, uint32(start-pointer))
	body = binary.LittleEndian.AppendUint32(body, size)
	body = append(append(body, 0), program...)
	s.entry(uint32(len(s.b)+4), body...)
}

const sectionAddr = 0x5000

// sample has f at 0x1000 with a frame of rbp, and g at 0x2000 without.
func sample() []byte {
	var s section
	s.cieX86()
	s.fde(sectionAddr, 0x1000, 0x100,
		cfaAdvanceLoc|1, cfaDefCFAOffset, 16, cfaOffset|6, 2, // push rbp
		cfaAdvanceLoc|3, cfaDefCFARegister, 6, // mov rsp, rbp
		cfaRememberState,
		cfaAdvanceLoc1, 0xf0, cfaDefCFA, 7, 8, cfaRestore|6, // pop rbp
		cfaAdvanceLoc|8, cfaRestoreState)
	s.fde(sectionAddr, 0x2000, 0x10)
	s.entry0()
	return s.b
}

func (s *section) entry0() { s.b = append(s.b, 0, 0, 0, 0) }

// stack is memory at 0x10000.
type stack []uint64

func (s stack) read(addr uint64, b []byte) error {
	i := (addr - 0x10000) / 8
	if addr < 0x10000 || i >= uint64(len(s)) || addr%8 != 0 || len(b) != 8 {
		return errors.New("no memory")
	}
	binary.LittleEndian.PutUint64(b, s[i])
	return nil
}

func regs(rsp, rbp uint64) []uint64 {
	r := make([]uint64, 17)
	r[6], r[7] = rbp, rsp
	return r
}

func TestBacktrace(t *testing.T) {
	table, err := Parse(sample(), sectionAddr)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		pc, rsp, rbp uint64
		mem          stack
		want         []uint64
	}{
		// g was called by f, which pushed rbp (0x10020) and was called by f at its start.
		"two frames": {0x2004, 0x10000, 0x10010,
			stack{0x1080, 0, 0x10030, 0x1082, 0, 0, 0, 0}, []uint64{0x2004, 0x1080, 0x1082}},
		"entry of f":        {0x1000, 0x10000, 0, stack{0x2002, 0x1090}, []uint64{0x1000, 0x2002, 0x1090}},
		"epilogue of f":     {0x10f8, 0x10000, 0, stack{0x2002, 0}, []uint64{0x10f8, 0x2002}},
		"wild jump":         {0x999999, 0x10000, 0, stack{0x2002, 0}, []uint64{0x999999, 0x2002}},
		"no memory":         {0x2004, 0x90000, 0, nil, []uint64{0x2004}},
		"garbage":           {0x2004, 0x10000, 0, stack{0xdeadbeef}, []uint64{0x2004, 0xdeadbeef}},
		"frame pointer low": {0x2004, 0x10008, 0x10000, stack{0, 0x1080, 0x10000, 0x1080}, []uint64{0x2004, 0x1080}},
	} {
		var got []uint64
		for _, f := range table.Backtrace(isa.X86_64, regs(test.rsp, test.rbp), test.pc, test.mem.read, 10) {
			got = append(got, f.PC)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %#x, want %#x", name, got, test.want)
		}
	}
}

// TestLimit unwinds a stack that calls itself without end.
func TestLimit(t *testing.T) {
	table, err := Parse(sample(), sectionAddr)
	if err != nil {
		t.Fatal(err)
	}
	endless := func(addr uint64, b []byte) error {
		binary.LittleEndian.PutUint64(b, 0x2004)
		return nil
	}
	if n := len(table.Backtrace(isa.X86_64, regs(0x10000, 0), 0x2004, endless, 25)); n != 25 {
		t.Errorf("%d frames, want 25", n)
	}
}

func TestParseRefuses(t *testing.T) {
	good := sample()
	if _, err := Parse(good[:len(good)-10], 0); err == nil {
		t.Error("a section that ends in an entry was taken")
	}
	table, err := Parse([]byte{8, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0}, 0)
	if err != nil || len(table.cies) != 0 {
		t.Errorf("a CIE of version 77: %v, %d CIEs", err, len(table.cies))
	}
}

func TestLEB128(t *testing.T) {
	// DWARF 5, figures C.1 and C.2.
	for _, test := range []struct {
		bytes []byte
		u     uint64
		s     int64
	}{
		{[]byte{2}, 2, 2},
		{[]byte{0x7e}, 0x7e, -2},
		{[]byte{0x80 + 127, 0}, 127, 127},
		{[]byte{0x80 + 1, 0x7f}, 0x3f81, -127},
		{[]byte{0x80 + 1, 1}, 129, 129},
	} {
		u, s := reader{b: test.bytes}, reader{b: test.bytes}
		if got := u.uleb(); got != test.u || u.err != nil {
			t.Errorf("unsigned % x: %d, want %d", test.bytes, got, test.u)
		}
		if got := s.sleb(); got != test.s || s.err != nil {
			t.Errorf("signed % x: %d, want %d", test.bytes, got, test.s)
		}
	}
}

// FuzzBacktrace unwinds with any section: it ends, within the limit, and the first frame is
// the one that was asked about.
func FuzzBacktrace(f *testing.F) {
	f.Add(sample(), uint64(0x1080), uint64(0x10000))
	f.Add([]byte{}, uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, pc, sp uint64) {
		table, err := Parse(b, sectionAddr)
		if err != nil {
			return
		}
		mem := func(addr uint64, to []byte) error {
			binary.LittleEndian.PutUint64(to, addr^pc)
			return nil
		}
		for _, a := range isa.All() {
			frames := table.Backtrace(a, []uint64{7: sp, 31: sp}, pc, mem, 50)
			if len(frames) == 0 || len(frames) > 50 || frames[0].PC != pc {
				t.Fatalf("%d frames from %#x: %v", len(frames), pc, frames)
			}
		}
	})
}
