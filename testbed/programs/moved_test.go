// Package programs_test moves real programs and compares them with what they are elsewhere.
package programs_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/testbed/programs"
	"github.com/migrated/migrated/vmm"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the points to move at")

var long = os.Getenv("MIGRATED_LONG") != ""

// A workload is one run of a program.
type workload struct {
	args   []string
	stdin  []byte
	files  []vmm.File
	memory uint64 // bytes; 0: 64 MiB

	// reference is a command of this machine that must print the same and end alike, fed with
	// the same input. Without one the program is only compared with itself.
	reference []string
}

// run moves an image through a workload and returns what it prints.
func (w workload) run(t *testing.T, path string) []byte {
	t.Helper()
	m := open(t, path)
	p, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	p.Args, p.Files, p.Stdin = w.args, w.files, w.stdin
	if w.memory != 0 {
		p.Memory = w.memory
	}
	got := moved(t, p, m)
	if w.reference == nil {
		return got.Stdout
	}
	cmd := exec.Command(w.reference[0], w.reference[1:]...)
	cmd.Stdin = bytes.NewReader(w.stdin)
	want, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Stdout, want) {
		t.Fatalf("it prints %s\nwant %s", brief(got.Stdout), brief(want))
	}
	if code := cmd.ProcessState.ExitCode(); int(got.Exit.Code) != code {
		t.Fatalf("exit status %d, want %d; standard error: %s", got.Exit.Code, code, got.Stderr)
	}
	return got.Stdout
}

// moved is movedBut for a program that prints the same in each run.
func moved(t *testing.T, p *oracle.Program, m *image.Image) *oracle.Result {
	t.Helper()
	return movedBut(t, p, m, nil)
}

// movedBut runs a program plain and then moved at random points, to the other ISA and back and
// to another machine of the first, and compares standard output and exit status (standard
// error may have timings), but for what matches varies. It returns the plain run.
func movedBut(t *testing.T, p *oracle.Program, m *image.Image, varies *regexp.Regexp) *oracle.Result {
	t.Helper()
	same := func(a, b []byte) bool {
		if varies != nil {
			a, b = varies.ReplaceAll(a, nil), varies.ReplaceAll(b, nil)
		}
		return bytes.Equal(a, b)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	x86, arm := build(t, m, "x86_64"), build(t, m, "aarch64")
	want, err := p.Plain(ctx, x86)
	if err != nil {
		t.Fatal(err)
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
		if got.Exit.Code != want.Exit.Code || !same(got.Stdout, want.Stdout) {
			t.Fatalf("%s, -seed %d: exit status %d, want %d; %+v; it prints %s\nwant %s\nstandard error: %s", name, *seed,
				got.Exit.Code, want.Exit.Code, got.Exit.Crash, brief(got.Stdout), brief(want.Stdout), got.Stderr)
		}
		if got.Moves == 0 {
			t.Fatalf("%s, -seed %d: never moved", name, *seed)
		}
		t.Logf("%s: %d moves, %d migration points", name, got.Moves, want.Points)
	}
	return want
}

// brief shows a program's output, or the beginning of a long one.
func brief(out []byte) string {
	const most = 2000 // bytes
	if len(out) <= most {
		return string(bytes.ToValidUTF8(out, []byte("?")))
	}
	return string(bytes.ToValidUTF8(out[:most], []byte("?"))) + "..."
}

// built builds a program and returns its images.
func built(t *testing.T, name string) programs.Images {
	t.Helper()
	images, err := programs.Build(t.Context(), root(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func root(t *testing.T) string {
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *image.Image {
	t.Helper()
	m, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
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

// read reads a file.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// expensive skips a test of a program that takes too long to build for every run.
func expensive(t *testing.T, build string) {
	t.Helper()
	if !long {
		t.Skipf("building it takes %s: set MIGRATED_LONG=1", build)
	}
}
