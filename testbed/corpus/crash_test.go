package corpus_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/corpus"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm"
)

// TestCrash looks at the backtrace of a crash on each ISA: that it has functions, files and
// lines, those that were inlined too, in a frame that was never left, in one that has come
// back from a record, and in one that is still a record.
func TestCrash(t *testing.T) {
	const source = "testdata/crash.c"
	p := corpus.Program{Name: "crash", Path: source}
	program, builds := build(t, p, toolchain.Options{Builds: toolchain.OnePerISA})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for i, b := range builds {
		other := builds[1-i]
		for _, tt := range []struct {
			name  string
			route []*image.Build // it crashes on b
			moves int
		}{
			{"never moved", []*image.Build{b}, 0},
			{"moved to another machine", []*image.Build{b, b}, 9},
			{"moved from the other ISA", []*image.Build{other, b}, 9},
		} {
			t.Run(b.Info.ISA+" "+tt.name, func(t *testing.T) {
				var got *oracle.Result
				var err error
				if tt.moves == 0 {
					got, err = program.Plain(ctx, b)
				} else {
					got, err = program.Moved(ctx, oracle.Route{Builds: tt.route, Gap: oracle.Every(37), Limit: tt.moves})
				}
				if err != nil {
					t.Fatal(err)
				}
				if got.Moves != tt.moves || got.Exit.Crash == nil || got.Exit.Signal != int(syscall.SIGSEGV) {
					t.Fatalf("after %d moves: %+v", got.Moves, got.Exit)
				}
				if got.Exit.Crash.ISA != b.Info.ISA {
					t.Errorf("it crashed on %s", got.Exit.Crash.ISA)
				}
				checkBacktrace(t, got.Exit.Crash.Backtrace, source)
			})
		}
	}
}

// checkBacktrace looks for the lines of crash.c that are marked.
func checkBacktrace(t *testing.T, got []vmm.Frame, source string) {
	t.Helper()
	want := []struct{ function, mark string }{
		{"innermost", "// crash"}, {"middle", "// in middle"}, {"outer", "// in outer"},
		{"cut", "// in cut"}, {"between", "// in between"}, {"main", "// in main"},
	}
	if len(got) < len(want) {
		t.Fatalf("backtrace %+v", got)
	}
	for i, w := range want {
		line := lineOf(t, source, w.mark)
		if got[i].Function != w.function || filepath.Base(got[i].File) != "crash.c" || got[i].Line != line {
			t.Errorf("frame %d is %+v, want %s at line %d", i, got[i], w.function, line)
		}
	}
}

// lineOf returns the number of the line that ends in a mark.
func lineOf(t *testing.T, path, mark string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		if strings.HasSuffix(line, mark) {
			return n + 1
		}
	}
	t.Fatalf("%s has no line with %q", path, mark)
	return 0
}
