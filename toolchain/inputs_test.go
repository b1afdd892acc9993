package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ourObject = "BC\xc0\xde......" + unitMark + "..."

// member returns an archive's member as ar writes it.
func member(name, content string) string {
	s := fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", name, 0, 0, 0, 0o644, len(content), content)
	if len(content)%2 != 0 {
		s += "\n"
	}
	return s
}

func TestCheckArchive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lib.a")
	for name, content := range map[string]string{"thin.o": ourObject, "foreign.o": "BC\xc0\xdeother"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	long := "a-name-longer-than-sixteen.o/\nanother-long-name-of-a-member.o/\n"
	for _, tt := range []struct{ name, archive, want string }{
		{"empty", "!<arch>\n", ""},
		{"plain", "!<arch>\n" + member("a.o/", ourObject) + member("b.o/", ourObject+"x"), ""},
		{"index", "!<arch>\n" + member("/", "\x00\x00\x00\x00") + member("/SYM64/", "12345678") + member("a.o/", ourObject), ""},
		{"long names", "!<arch>\n" + member("//", long) + member("/0", ourObject) + member("/30", ourObject), ""},
		{"foreign", "!<arch>\n" + member("a.o/", ourObject) + member("b.o/", "\x7fELF"), "lib.a(b.o): a damaged ELF file"},
		{"foreign with a long name", "!<arch>\n" + member("//", long) + member("/30", "text"), "(another-long-name-of-a-member.o): not an object"},
		{"no such long name", "!<arch>\n" + member("//", long) + member("/3000", ourObject), "damaged archive"},
		{"no long names", "!<arch>\n" + member("/0", ourObject), "damaged archive"},
		{"cut header", "!<arch>\n" + member("a.o/", ourObject)[:30], "damaged archive"},
		{"cut member", "!<arch>\n" + member("a.o/", ourObject)[:70], "damaged archive"},
		{"bad size", "!<arch>\n" + strings.Replace(member("a.o/", "ab"), "2  ", "-2 ", 1), "damaged archive"},
		{"huge size", "!<arch>\n" + strings.Replace(member("a.o/", "ab"), "2         `", "9999999999`", 1), "damaged archive"},
		{"thin", "!<thin>\n" + member("thin.o/", ourObject)[:60], ""},
		{"thin foreign", "!<thin>\n" + member("foreign.o/", ourObject)[:60], "(foreign.o): bitcode of another compiler"},
		{"thin gone", "!<thin>\n" + member("gone.o/", ourObject)[:60], "gone.o: no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tt.archive), 0o644); err != nil {
				t.Fatal(err)
			}
			err := checkInput(path, NewKey("inputs"))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// What is accepted holds an object of ours, or no object at all.
func FuzzCheckArchive(f *testing.F) {
	f.Add("!<arch>\n" + member("//", "a-name-longer-than-sixteen.o/\n") + member("/0", ourObject))
	f.Add("!<arch>\n" + member("a.o/", ourObject))
	f.Add("!<arch>\n" + member("/", "index"))
	f.Fuzz(func(t *testing.T, content string) {
		if len(content) < 8 || checkArchive("lib.a", []byte(content), false, NewKey("inputs")) != nil || strings.Contains(content, unitMark) {
			return
		}
		if len(content) > 8 && content[8] != '/' { // a table's name begins so
			t.Fatalf("accepted without an object of ours: %q", content)
		}
	})
}

func TestTargets(t *testing.T) {
	targets, err := Targets(nil)
	if err != nil || len(targets) != len(DefaultBuilds) {
		t.Fatalf("%v, %v", targets, err)
	}
	for n, target := range targets {
		if target.Level.Name != DefaultBuilds[n] || target.ISA == nil {
			t.Errorf("target %d is %+v", n, target)
		}
	}
	for _, levels := range [][]string{{"vax"}, {""}, {"armv8-a", "armv8-a"}} {
		if _, err := Targets(levels); err == nil {
			t.Errorf("%q is accepted", levels)
		}
	}
}
