// Package programs_test moves real programs and compares them with what they are elsewhere.
package programs_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the points to move at")

var long = os.Getenv("MIGRATED_LONG") != ""

// luaScripts are those of examples/lua with an argument that makes them short.
var luaScripts = map[string]string{
	"fannkuch": "7", "nqueens": "6", "sort": "1", "coroutines": "1", "strings": "1",
}

// TestLua compares scripts moved between ISAs with Debian's own lua5.4.
func TestLua(t *testing.T) {
	t.Logf("seed %d", *seed)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command(filepath.Join(root, "testbed/programs/lua"))
	build.Stderr = os.Stderr
	out, err := build.Output()
	if err != nil {
		t.Fatalf("build Lua: %v", err)
	}
	m := open(t, strings.TrimSpace(string(out)))
	for script, arg := range luaScripts {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(root, "examples/lua", script+".lua")
			want, err := exec.Command("lua5.4", path, arg).Output()
			if err != nil {
				t.Fatalf("run Debian's lua5.4: %v", err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := &oracle.Program{
				Image: m.Config(), Memory: 64 << 20,
				Args:  []string{"lua", path, arg}, // error messages have the path
				Files: []vmm.File{{Path: path, Mode: 0o644, Data: text}},
			}
			moved(t, p, m, string(want))
		})
	}
}

// TestNPB runs the NAS kernels, which verify themselves.
func TestNPB(t *testing.T) {
	t.Logf("seed %d", *seed)
	class := "S"
	if long {
		class = "W"
	}
	for _, kernel := range []string{"ep", "cg", "is", "mg"} {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()
			dir := "../../examples/npb/"
			path := filepath.Join(t.TempDir(), kernel)
			err := toolchain.Build(t.Context(), toolchain.Options{
				Sources: []string{dir + kernel + ".c", dir + "common/npb.c"},
				CFlags:  []string{"-O3", "-std=gnu11"},
				Output:  path,
			})
			if err != nil {
				t.Fatal(err)
			}
			m := open(t, path)
			p := &oracle.Program{Image: m.Config(), Memory: 256 << 20, Args: []string{kernel, class}}
			out := moved(t, p, m, "")
			if !strings.Contains(out, "VERIFICATION SUCCESSFUL") {
				t.Errorf("not verified:\n%s", out)
			}
		})
	}
}

func open(t *testing.T, path string) *image.Image {
	m, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// moved runs a program plain and then moved at random points, to the other ISA and back and
// to another machine of the first, and compares standard output and exit status (standard
// error may have timings). reference, where there is one, is what it must print. It returns
// what it printed.
func moved(t *testing.T, p *oracle.Program, m *image.Image, reference string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	x86, arm := build(t, m, "x86_64"), build(t, m, "aarch64")
	want, err := p.Plain(ctx, x86)
	if err != nil {
		t.Fatal(err)
	}
	if reference != "" && string(want.Stdout) != reference {
		t.Fatalf("unmoved it prints\n%s\nwant\n%s", want.Stdout, reference)
	}
	limit, part := 8, uint64(100) // moves; the share of the run between two of them, on average
	if long {
		limit, part = 100, 200
	}
	for name, builds := range map[string][]*image.Build{
		"to the other ISA and back": {x86, arm},
		"to another machine":        {x86, x86},
	} {
		got, err := p.Moved(ctx, oracle.Route{
			Builds: builds, Gap: oracle.Random(*seed, max(1, want.Points/part)), Limit: limit, Fresh: true,
		})
		if err != nil {
			t.Fatalf("%s, -seed %d: %v", name, *seed, err)
		}
		if got.Exit.Code != want.Exit.Code || !bytes.Equal(got.Stdout, want.Stdout) {
			t.Fatalf("%s, -seed %d: exit status %d, want %d; it prints\n%s\nwant\n%s",
				name, *seed, got.Exit.Code, want.Exit.Code, got.Stdout, want.Stdout)
		}
		if got.Moves == 0 {
			t.Fatalf("%s, -seed %d: never moved", name, *seed)
		}
		t.Logf("%s: %d moves, %d migration points", name, got.Moves, want.Points)
	}
	return string(want.Stdout)
}

func build(t *testing.T, m *image.Image, isaName string) *image.Build {
	for _, b := range m.Builds() {
		if b.Info.ISA == isaName {
			return b
		}
	}
	t.Fatalf("the image has no build for %s", isaName)
	return nil
}
