package symbols_test

import (
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/symbols"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func TestLookup(t *testing.T) {
	for _, a := range isa.All() {
		_, builds := vmmtest.Guest(t, a)
		table, err := symbols.Open(builds[0].Debug)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ring", "print", "put_number", "run"} {
			start := vmmtest.Symbol(t, builds[0].Debug, name)
			chain := table.Lookup(start)
			if len(chain) == 0 || chain[len(chain)-1].Function != name || chain[0].Line == 0 {
				t.Errorf("%s: %s at %#x is %+v", a.Name, name, start, chain)
			}
			if inside := table.Lookup(start + 4); len(inside) == 0 || inside[len(inside)-1].Function != name {
				t.Errorf("%s: %s at %#x is %+v", a.Name, name, start+4, inside)
			}
		}
		if c := table.Lookup(0x123456); c != nil {
			t.Errorf("%s: nothing at all is %+v", a.Name, c)
		}
		// main.c has hello, flood and others inlined into run.
		inlined := 0
		start := vmmtest.Symbol(t, builds[0].Debug, "run")
		for pc := start; pc < start+2048; pc += 4 {
			chain := table.Lookup(pc)
			if n := len(chain); n > 1 && chain[n-1].Function == "run" {
				inlined++
				for i, l := range chain {
					// The compiler may have no line for an instruction, but has for a call.
					if l.Function == "" || i > 0 && l.Line == 0 || filepath.Ext(l.File) != ".c" {
						t.Errorf("%s: at %#x %+v", a.Name, pc, chain)
					}
				}
			}
		}
		if inlined == 0 {
			t.Errorf("%s: nothing is inlined into run", a.Name)
		}
	}
}

func TestNoDebugFile(t *testing.T) {
	if _, err := symbols.Open(nil); err == nil {
		t.Error("an empty file was opened")
	}
	var none *symbols.Table
	if c := none.Lookup(1); c != nil {
		t.Errorf("no table says %+v", c)
	}
}

// FuzzOpen opens and asks: an error or an answer, nothing else.
func FuzzOpen(f *testing.F) {
	_, builds := vmmtest.Guest(f, isa.X86_64)
	f.Add(builds[0].Debug, uint64(0x4000000))
	f.Add(builds[0].Exec, uint64(0x4000000))
	f.Fuzz(func(t *testing.T, file []byte, pc uint64) {
		table, err := symbols.Open(file)
		if err != nil {
			return
		}
		table.Lookup(pc)
	})
}
