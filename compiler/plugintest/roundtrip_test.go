package plugintest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/migrated/migrated/isa"
)

// roundTripOptions are what the programs of testdata/roundtrip are built with in turn: strips
// as they are, and so short that every loop has several.
var roundTripOptions = [][]string{nil, {"-migrated-strip=40"}}

// testdata/roundtrip/NAME.c runs on native/roundtrip.c, which leaves the machine stack at
// every n-th migration point and comes back on another. However often it does, the program
// does what its plain build does, which has not been through the passes.
func TestRoundTrip(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("native/roundtrip.c is for amd64; images are tested on both")
	}
	sources, err := filepath.Glob(filepath.Join(testdata, "roundtrip", "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	dir := t.TempDir()
	harness := filepath.Join(dir, "harness.o")
	must(t, nil, "clang-19", "-O2", "-fno-pic", "-fexceptions", "-Wall", "-Werror", "-c",
		filepath.Join("native", "roundtrip.c"), "-o", harness)
	for _, source := range sources {
		t.Run(strings.TrimSuffix(filepath.Base(source), ".c"), func(t *testing.T) {
			want := runProgram(t, plainBuild(t, source))
			if len(want.output) == 0 {
				t.Fatal("the plain build prints nothing")
			}
			for _, options := range roundTripOptions {
				exe := movableBuild(t, source, harness, options)
				if got := runProgram(t, exe, "0"); !got.equal(want) || got.leaves != 0 {
					t.Fatalf("%v: never moved, it gives %v, the plain build %v", options, got, want)
				}
				for _, period := range []string{"1", "2", "3", "7", "31"} {
					got := runProgram(t, exe, period)
					if !got.equal(want) {
						t.Errorf("%v: moved at every %s. point, it gives %v, want %v", options, period, got, want)
					}
					if got.leaves == 0 {
						t.Errorf("%v: never moved at every %s. point", options, period)
					}
				}
			}
		})
	}
}

// plainBuild compiles a program with its own __mig_leave, which does nothing.
func plainBuild(t *testing.T, source string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "plain")
	must(t, nil, "clang-19", "-O1", "-w", "-fno-builtin", "-o", exe, source, filepath.Join("native", "plain.c"))
	return exe
}

// movableBuild compiles a program through the passes, as the toolchain does.
func movableBuild(t *testing.T, source, harness string, options []string) string {
	t.Helper()
	checked, stderr, failed := opt(t, compile(t, source), "-passes=migrated-check")
	if failed {
		t.Fatalf("migrated-check:\n%s", stderr)
	}
	x86 := isa.X86_64
	for _, stage := range [][]string{
		{"-passes=migrated-prepare,verify,default<O2>", "-vectorize-loops=false", "-vectorize-slp=false",
			"-migrated-keep=__mig_thread_main,__mig_poll_slow"},
		append([]string{"-passes=migrated-transform,verify"}, options...),
		{"-passes=migrated-target,verify", "-migrated-triple=" + x86.Triple, "-migrated-datalayout=" + x86.DataLayout},
	} {
		checked, stderr, failed = opt(t, checked, stage...)
		if failed {
			t.Fatalf("%s:\n%s", stage[0], stderr)
		}
	}
	dir := t.TempDir()
	bitcode, exe := filepath.Join(dir, "program.bc"), filepath.Join(dir, "program")
	if err := os.WriteFile(bitcode, checked, 0o644); err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(dir, "program.o")
	args := append([]string{"--target=" + x86.Triple, "-march=" + x86.Levels[0].March, "-O3", "-fno-pic"}, x86.CodeGen...)
	must(t, nil, "clang-19", append(args, "-c", "-x", "ir", bitcode, "-o", object)...)
	must(t, nil, "clang-19", "-no-pie", "-o", exe, object, harness)
	return exe
}

type outcome struct {
	output []byte
	status int
	leaves int // the last number that the harness prints
}

func (o outcome) equal(p outcome) bool {
	return bytes.Equal(o.output, p.output) && o.status == p.status
}

func runProgram(t *testing.T, exe string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", exe, err)
	}
	o := outcome{output: out.Bytes(), status: cmd.ProcessState.ExitCode()}
	if words := strings.Fields(errs.String()); len(words) == 4 { // "N points, M leaves"
		o.leaves, _ = strconv.Atoi(words[2])
	}
	if o.status >= 99 || o.status < 0 {
		t.Fatalf("%s %q ends with %d: %s", exe, args, o.status, errs.Bytes())
	}
	return o
}
