package toolchain

import (
	"cmp"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Code that is generated in parts has the same functions in the same order, and their lines.
func TestPartsAreTheProgram(t *testing.T) {
	tc := find(t)
	tc.Cache = nil
	object := filepath.Join(t.TempDir(), "program.o")
	if err := tc.Compile(t.Context(), &Compilation{Args: []string{"-O2"}, Source: source(t, program), Output: object}); err != nil {
		t.Fatal(err)
	}
	targets, err := Targets(OnePerISA)
	if err != nil {
		t.Fatal(err)
	}
	link := func(parts int) string {
		dir := t.TempDir()
		l := &Link{
			Inputs: []Input{{Path: object}}, Output: filepath.Join(dir, "image"), Name: "program", Targets: targets,
			Emit: map[string]bool{"elf": true, "obj": true}, EmitDir: dir, parts: parts,
		}
		if err := tc.Link(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	whole, cut := link(1), link(5)
	for _, target := range targets {
		name := target.Level.Name + ".elf"
		a, b := functions(t, filepath.Join(whole, name)), functions(t, filepath.Join(cut, name))
		if len(a) < 50 || len(a) != len(b) {
			t.Fatalf("%s has %d functions, in parts %d", name, len(a), len(b))
		}
		for i := range a {
			if a[i].Name != b[i].Name {
				t.Fatalf("%s: function %d is %s, in parts %s", name, i, a[i].Name, b[i].Name)
			}
		}
		object := target.Level.Name + ".o"
		size, err := os.Stat(filepath.Join(cut, object))
		if err != nil || size.Size() == 0 {
			t.Errorf("%s in parts: %v", object, err)
		}
		f, err := elf.Open(filepath.Join(cut, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d, err := f.DWARF()
		if err != nil {
			t.Fatal(err)
		}
		add := b[slices.IndexFunc(b, func(s elf.Symbol) bool { return s.Name == "program_add" })]
		if !hasLine(t, d, add.Value, "program.c", 3) {
			t.Errorf("%s: line tables of the parts do not know program_add", target.Level.Name)
		}
	}
}

// functions returns the functions of an ELF file, ordered by address.
func functions(t *testing.T, path string) []elf.Symbol {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(s elf.Symbol) bool { return elf.ST_TYPE(s.Info) != elf.STT_FUNC })
	slices.SortStableFunc(list, func(a, b elf.Symbol) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name, b.Name))
	})
	return list
}
