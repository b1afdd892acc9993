package toolchain

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/layout"
	"github.com/migrated/migrated/layout/region"
)

// find returns the toolchain of this source tree; make must have built it.
func find(t *testing.T) *Toolchain {
	t.Helper()
	tc, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return tc
}

func source(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.c")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const program = `
#include <stdio.h>
static int program_add(int a, int b) { return a + b; }
static int program_subtract(int a, int b) { return a - b; }
int (*operation[])(int, int) = {program_add, program_subtract, program_add};
int numbers[5000];
int main(int argc, char **argv)
{
	operation[argc] = operation[argc - 1];
	numbers[argc] = operation[argc](argc, 1);
	printf("%d %d\n", numbers[argc], numbers[argc * 2]);
	return 0;
}
`

// An image is what its parts say: two builds with one layout, whose debug files name
// functions and lines.
func TestBuildAnImage(t *testing.T) {
	tc := find(t)
	out := filepath.Join(t.TempDir(), "program.img")
	if err := tc.Build(t.Context(), Options{Sources: []string{source(t, program)}, Output: out, Name: "adder", Builds: OnePerISA}); err != nil {
		t.Fatal(err)
	}
	m, err := image.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config()
	if c.Name != "adder" || c.ABI != region.ABIVersion || len(m.Builds()) != 2 {
		t.Fatalf("config %+v", c)
	}
	table, err := layout.DecodeTable(m.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if table.Hash() != string(c.LayoutHash) || table.End != c.StaticEnd || len(table.Builds) != 2 {
		t.Errorf("layout %s ends at %#x; the config says %s, %#x", table.Hash(), table.End, c.LayoutHash, c.StaticEnd)
	}
	addresses := make(map[string]uint64)
	for _, r := range table.Symbols {
		addresses[r.Name] = r.Addr
	}
	if !strings.Contains(string(m.Sites()), "main") {
		t.Errorf("the site table does not know main:\n%.300s", m.Sites())
	}
	for _, b := range m.Builds() {
		checkDebug(t, b, addresses)
	}
}

// checkDebug checks that a build's debug file has the planned symbols, unwind tables and
// line tables, and its executable nothing but segments.
func checkDebug(t *testing.T, b *image.Build, addresses map[string]uint64) {
	exec, err := elf.NewFile(bytes.NewReader(b.Exec))
	if err != nil {
		t.Fatal(err)
	}
	if len(exec.Sections) != 0 {
		t.Errorf("%s: the executable has %d sections", b.Info.Level, len(exec.Sections))
	}
	debug, err := elf.NewFile(bytes.NewReader(b.Debug))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := debug.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range symbols {
		if s.Name == "operation" || s.Name == "numbers" || s.Name == "program_add" {
			found++
			if s.Value != addresses[s.Name] {
				t.Errorf("%s: %s is at %#x, planned at %#x", b.Info.Level, s.Name, s.Value, addresses[s.Name])
			}
		}
	}
	if found != 3 {
		t.Errorf("%s: %d of 3 pinned symbols", b.Info.Level, found)
	}
	frames, err := debug.Section(".eh_frame").Data()
	if err != nil || len(frames) == 0 {
		t.Errorf("%s: %d bytes of unwind tables, %v", b.Info.Level, len(frames), err)
	}
	// The same bytes lie where the program has them.
	if got := load(exec, debug.Section(".eh_frame").Addr, len(frames)); !bytes.Equal(got, frames) {
		t.Errorf("%s: unwind tables of the two files differ", b.Info.Level)
	}
	if text := debug.Section(".text"); text == nil || text.Type != elf.SHT_NOBITS {
		t.Errorf("%s: .text of the debug file is %+v", b.Info.Level, text)
	}
	d, err := debug.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	if !hasLine(t, d, addresses["program_add"], "program.c", 3) {
		t.Errorf("%s: line tables do not know program_add", b.Info.Level)
	}
}

// load returns n bytes at an address of an executable.
func load(f *elf.File, addr uint64, n int) []byte {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr-p.Vaddr+uint64(n) <= p.Filesz {
			b := make([]byte, n)
			if _, err := p.ReadAt(b, int64(addr-p.Vaddr)); err == nil {
				return b
			}
		}
	}
	return nil
}

func hasLine(t *testing.T, d *dwarf.Data, addr uint64, file string, line int) bool {
	t.Helper()
	r := d.Reader()
	for {
		unit, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if unit == nil {
			return false
		}
		r.SkipChildren()
		lines, err := d.LineReader(unit)
		if err != nil || lines == nil {
			continue
		}
		for e := (dwarf.LineEntry{}); lines.Next(&e) == nil; {
			if e.Address == addr && filepath.Base(e.File.Name) == file && e.Line == line {
				return true
			}
		}
	}
}

// The same input gives the same image, whatever was remembered.
func TestBuildsAreReproducible(t *testing.T) {
	tc := find(t)
	path := source(t, program)
	build := func(cache *Cache) []byte {
		tc.Cache = cache
		out := filepath.Join(t.TempDir(), "image")
		if err := tc.Build(t.Context(), Options{Sources: []string{path}, Output: out, Builds: []string{"armv8-a"}}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cache := &Cache{dir: t.TempDir()}
	first := build(cache)
	if !bytes.Equal(first, build(cache)) {
		t.Error("the cache gives another image")
	}
	if !bytes.Equal(first, build(nil)) {
		t.Error("a build without a cache gives another image")
	}
}

func TestStaticDataBeyondTwoGiB(t *testing.T) {
	tc := find(t)
	var stderr bytes.Buffer
	tc.Stderr = &stderr
	text := "char huge[3000000000ul], small[100];\nint main(int c, char **v) { huge[c] = small[c] = 1; return *v[0] + huge[c * 2] + small[2 * c]; }\n"
	out := filepath.Join(t.TempDir(), "image")
	err := tc.Build(t.Context(), Options{Sources: []string{source(t, text)}, Output: out, Builds: []string{"x86-64-v3"}})
	if err == nil || !strings.Contains(err.Error(), "allocate the largest at run time:\n>>> huge (3000000000 bytes) of ") || !strings.Contains(err.Error(), "program.c\n") {
		t.Errorf("error %v, want one that names huge and its file\n%s", err, stderr.String())
	}
	if isFile(out) {
		t.Error("an image is left behind")
	}
}
