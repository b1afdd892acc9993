package corpus_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/testbed/corpus"
)

// nativeFlags are two unlike ways to compile for this host.
var nativeFlags = [][]string{{"-O0"}, {"-O2", "-ffp-contract=off"}}

// TestPrograms checks that each program is a fair witness: clean C, with one output whatever
// the compiler makes of what the language leaves open.
func TestPrograms(t *testing.T) {
	for _, p := range load(t) {
		t.Run(p.Name, func(t *testing.T) {
			var first []byte
			for _, flags := range nativeFlags {
				out := runNative(t, "cc", p, flags...)
				if len(out) == 0 {
					t.Fatal("prints nothing")
				}
				if first == nil {
					first = out
				} else if !bytes.Equal(first, out) {
					t.Errorf("prints\n%s\nwith %v, but\n%s\nwith %v", out, flags, first, nativeFlags[0])
				}
			}
		})
	}
}

// runNative compiles a program for this host and returns what it prints.
func runNative(t *testing.T, cc string, p corpus.Program, flags ...string) []byte {
	exe := filepath.Join(t.TempDir(), p.Name)
	args := append([]string{"-std=gnu11", "-fsigned-char", "-Wall", "-Wextra", "-Werror", "-o", exe, p.Path, "-lm", "-latomic"}, flags...)
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	cmd := exec.Command(exe, p.Args...)
	cmd.Args[0] = p.Name
	cmd.Stdin = bytes.NewReader(p.Stdin)
	out, err := cmd.Output()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != p.Exit {
		t.Errorf("%v: exit status %d, want %d", flags, code, p.Exit)
	}
	return out
}
