package plugintest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

var update = flag.Bool("update", false, "write what the passes give as what is expected")

const (
	plugin   = "../../build/lib/migrated-passes.so"
	testdata = "../testdata"
)

// The plugin is built first, so that it is never an old one that is tested.
func TestMain(m *testing.M) {
	flag.Parse()
	if out, err := exec.Command("make", "-C", "..", "-j2").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// opt runs opt with the plugin. A non-zero exit is not an error of the test: failed says so,
// and stderr is what the user would read.
func opt(t *testing.T, input []byte, args ...string) (stdout, stderr []byte, failed bool) {
	t.Helper()
	args = append([]string{"-load-pass-plugin=" + plugin}, args...)
	return run(t, input, "opt-19", args...)
}

// run runs a program in the same way.
func run(t *testing.T, input []byte, name string, args ...string) (stdout, stderr []byte, failed bool) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errs
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok && exit.Exited() {
		return out.Bytes(), errs.Bytes(), true
	}
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, errs.Bytes())
	}
	return out.Bytes(), errs.Bytes(), false
}

// must runs a program that has to succeed.
func must(t *testing.T, input []byte, name string, args ...string) []byte {
	t.Helper()
	stdout, stderr, failed := run(t, input, name, args...)
	if failed {
		t.Fatalf("%s %q fails:\n%s", name, args, stderr)
	}
	return stdout
}

// compare compares got with the file want, or writes the file with -update.
func compare(t *testing.T, got []byte, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(want, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	expected, err := os.ReadFile(want)
	if err != nil {
		t.Fatalf("%v; write it with -update, and read it", err)
	}
	if len(expected) == 0 {
		t.Fatalf("%s is empty", want)
	}
	if diff := lineDiff(expected, got); diff != "" {
		t.Errorf("differs from %s:\n%s", want, diff)
	}
}

// lineDiff shows where two texts first differ; "" if nowhere.
func lineDiff(want, got []byte) string {
	w, g := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := range max(len(w), len(g)) {
		var a, b []byte
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if !bytes.Equal(a, b) || i >= len(w) || i >= len(g) {
			return fmt.Sprintf("line %d\nwant: %s\n got: %s\n\nall of it:\n%s", i+1, a, b, got)
		}
	}
	return ""
}
