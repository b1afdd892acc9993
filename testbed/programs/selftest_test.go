package programs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A movedProgram is testbed/cmd/moved standing in for a program, as an executable of this machine.
type movedProgram struct {
	path  string // a script
	tally string // where it notes its moves
}

// standIn makes a stand-in that moves a program after mean migration points, on average.
func standIn(t *testing.T, image, name string, mean int) *movedProgram {
	t.Helper()
	dir := t.TempDir()
	tool := filepath.Join(dir, "moved")
	if out, err := exec.Command("go", "build", "-o", tool, "../cmd/moved").CombinedOutput(); err != nil {
		t.Fatalf("build testbed/cmd/moved: %v\n%s", err, out)
	}
	m := &movedProgram{path: filepath.Join(dir, name), tally: filepath.Join(dir, "tally")}
	// Each run has a seed of its own: with one for all, none of many short ones might reach its first move.
	script := fmt.Sprintf("#!/bin/sh\nruns=$(cat '%s' 2>/dev/null | wc -l)\n"+
		"exec '%s' -name %s -seed $((%d + runs)) -mean %d -tally '%s' '%s' \"$@\"\n",
		m.tally, tool, name, *seed, mean, m.tally, image)
	if err := os.WriteFile(m.path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

// check runs a test suite in a directory and wants it to pass, and the program to have moved.
func (m *movedProgram) check(t *testing.T, dir string, env []string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("-seed %d: %s: %v\n%s", *seed, strings.Join(command, " "), err, out)
	}
	lines, err := os.ReadFile(m.tally)
	if err != nil {
		t.Fatal(err)
	}
	runs, moves := 0, 0
	for line := range strings.Lines(string(lines)) {
		var n int
		if _, err := fmt.Sscan(line, &n); err != nil {
			t.Fatal(err)
		}
		runs++
		moves += n
	}
	t.Logf("%d runs with %d moves", runs, moves)
	if moves < runs {
		t.Errorf("only %d moves in %d runs: nothing was tested\n%s", moves, runs, out)
	}
}

// source returns a copy of a program's source, as its script has fetched it.
func source(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("cp", "-a", filepath.Join(root(t), "build", path)+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the source: %v\n%s", err, out)
	}
	return dir
}

// TestBzip2SelfTest runs bzip2's own test: three files packed and unpacked.
func TestBzip2SelfTest(t *testing.T) {
	t.Parallel()
	m := standIn(t, built(t, "bzip2")["bzip2"], "bzip2", 50_000)
	dir := source(t, "upstream/bzip2")
	if err := os.Symlink(m.path, filepath.Join(dir, "bzip2")); err != nil {
		t.Fatal(err)
	}
	m.check(t, dir, nil, "make", "-o", "bzip2", "test")
}

// TestMawkSelfTest runs mawk's own test of fields, patterns, arrays and functions.
func TestMawkSelfTest(t *testing.T) {
	expensive(t, "a minute of CPU time")
	t.Parallel()
	m := standIn(t, built(t, "mawk")["mawk"], "mawk", 300)
	dir := source(t, "src/mawk")
	m.check(t, filepath.Join(dir, "test"), []string{"MAWK=" + m.path}, "sh", "./mawktest")
}

// TestGzipSelfTest runs gzip's own tests that look at nothing but what it prints.
func TestGzipSelfTest(t *testing.T) {
	expensive(t, "a minute of CPU time")
	image := built(t, "gzip")["gzip"]
	for _, name := range []string{"memcpy-abuse", "mixed", "null-suffix-clobber", "unpack-invalid"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := standIn(t, image, "gzip", 15)
			dir := source(t, "src/gzip")
			if err := os.Symlink(m.path, filepath.Join(dir, "gzip")); err != nil {
				t.Fatal(err)
			}
			m.check(t, filepath.Join(dir, "tests"), nil, "sh", "./"+name)
		})
	}
}

// TestM4SelfTest runs the examples of GNU m4's manual, but for those that run a command.
func TestM4SelfTest(t *testing.T) {
	expensive(t, "minutes, for configure")
	t.Parallel()
	m := standIn(t, built(t, "m4")["m4"], "m4", 30)
	dir := source(t, "src/m4")
	checks, err := filepath.Glob(filepath.Join(dir, "checks", "[0-9]*.*"))
	if err != nil || len(checks) < 200 {
		t.Fatalf("%d checks: %v", len(checks), err)
	}
	command := []string{"sh", "../checks/check-them", "-I", ".", "-m", m.path}
	for _, path := range checks {
		text := read(t, path)
		if !runsACommand.Match(text) && !findsOnAPath[filepath.Base(path)] {
			command = append(command, path)
		}
	}
	m.check(t, filepath.Join(dir, "examples"), nil, command...)
}

var runsACommand = regexp.MustCompile(`syscmd\(`)

// These say where on its path m4 finds a file: moved gives it the working directory's as /, where it
// is found without one.
var findsOnAPath = map[string]bool{"103.debug_leve": true, "204.location": true}
