package vmm

import (
	"fmt"
	"strings"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/symbols"
	"github.com/migrated/migrated/vmm/unwind"
)

// maxFrames bounds a backtrace; a stack that overflowed has many more.
const maxFrames = 64

// backtrace fills in c.Backtrace from its registers. Without the build's debug file there
// is the innermost address alone.
func (g *Guest) backtrace(c *Crash) {
	c.ISA = g.cfg.Build.ISA.Name
	if c.Regs == nil {
		return
	}
	frames := []unwind.Frame{{PC: c.PC}}
	if table, err := unwind.FromELF(g.cfg.Build.Debug); err == nil {
		frames = table.Backtrace(g.cfg.Build.ISA, c.Regs, c.PC, g.read, maxFrames)
	}
	if g.isGate(frames[0].PC) && len(frames) > 1 {
		frames = frames[1:] // the host's own code says nothing
	}
	names, _ := symbols.Open(g.cfg.Build.Debug) // nil knows no names
	for _, f := range frames {
		at := describe(names, f)
		if n := len(c.Backtrace); n == 0 || !entersAgain(at[len(at)-1], c.Backtrace[n-1]) {
			c.Backtrace = append(c.Backtrace, at...)
		}
	}
	if rest := g.recorded(names, maxFrames-len(frames)); len(rest) > 0 {
		c.Backtrace = append(withoutDriver(c.Backtrace), rest...)
	}
	for i := range c.Backtrace {
		c.Backtrace[i].Function = sourceName(c.Backtrace[i].Function)
	}
}

// Suffixes that the compiler gives to the names of functions that it makes of others (docs/compiler.md):
// of what brings a frame back, and of the part behind early returns.
const (
	resumeSuffix = ".resume"
	restSuffix   = ".rest"
)

// sourceName returns the name that a function has in the program.
func sourceName(function string) string {
	return strings.TrimSuffix(strings.TrimSuffix(function, resumeSuffix), restSuffix)
}

// entersAgain says whether a frame is that of a resume function which goes on in the function
// itself: the two are one frame of the program's. That call is in no line of it.
func entersAgain(f, called Frame) bool {
	return f.Function == called.Function+resumeSuffix && f.Line == 0
}

// withoutDriver leaves out what lies between the frames that are on a machine stack and those
// that are still records: the driver, which brings them back, and what has called it.
func withoutDriver(frames []Frame) []Frame {
	if n := len(frames); n > 2 && frames[n-2].Function == "driver" && frames[n-1].Function == "arch_run" {
		return frames[:n-2]
	}
	return frames
}

// describe names a frame and what is inlined in it.
func describe(names *symbols.Table, f unwind.Frame) []Frame {
	pc := f.PC
	if f.Call {
		pc-- // the call itself, not what comes after
	}
	if chain := names.Lookup(pc); len(chain) > 0 {
		return located(f.PC, chain)
	}
	return []Frame{{PC: f.PC}}
}

// located makes frames of functions that are inlined into each other.
func located(pc uint64, chain []symbols.Location) []Frame {
	var out []Frame
	for _, l := range chain {
		out = append(out, Frame{PC: pc, Function: l.Function, File: l.File, Line: l.Line})
	}
	return out
}

func (g *Guest) isGate(pc uint64) bool {
	return pc >= hostabi.GateBase && pc < hostabi.GateBase+hostabi.PageSize
}

// String renders a crash for a log: what happened, the registers, the backtrace.
func (c *Crash) String() string {
	var b strings.Builder
	b.WriteString(c.Summary())
	b.WriteByte('\n')
	if a := isa.ByName(c.ISA); a != nil && c.Regs != nil {
		fmt.Fprintf(&b, "  %-6s %016x\n", "pc", c.PC)
		column := 0
		for i, v := range c.Regs {
			if i >= len(a.DWARFRegs) || a.DWARFRegs[i] == "" {
				continue
			}
			fmt.Fprintf(&b, "  %-6s %016x", a.DWARFRegs[i], v)
			if column++; column%3 == 0 {
				b.WriteByte('\n')
			}
		}
		if column%3 != 0 {
			b.WriteByte('\n')
		}
	}
	for i := 0; i < len(c.Backtrace); i++ {
		f := c.Backtrace[i]
		fmt.Fprintf(&b, "  #%-2d %#014x", i, f.PC)
		if f.Function != "" {
			b.WriteString(" " + f.Function)
		}
		if f.File != "" {
			b.WriteString(" at " + f.File)
		}
		if f.Line != 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteByte('\n')
		again := 0 // a stack that overflowed repeats itself
		for i+1 < len(c.Backtrace) && c.Backtrace[i+1] == f {
			again++
			i++
		}
		if again > 0 {
			fmt.Fprintf(&b, "      the same %d more times\n", again)
		}
	}
	return b.String()
}

// Summary is the crash in one line.
func (c *Crash) Summary() string {
	var parts []string
	for _, s := range []string{c.Reason, c.Message} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	s := strings.Join(parts, ": ")
	if c.HasAddr {
		s += fmt.Sprintf(" (address %#x)", c.Addr)
	}
	return s
}
