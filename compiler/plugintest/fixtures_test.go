package plugintest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fixture is testdata/NAME.ll, whose first line says what to run, as in
//
//	; passes: migrated-math -migrated-hardware-fma
//
// Beside it lies either NAME.want.ll, which opt has to write, or NAME.error, which opt has to
// say while it fails. A want file holds the module without the lines that name the input.
func TestFixtures(t *testing.T) {
	inputs, err := filepath.Glob(filepath.Join(testdata, "*.ll"))
	if err != nil {
		t.Fatal(err)
	}
	fixtures := 0
	for _, input := range inputs {
		if strings.HasSuffix(input, ".want.ll") {
			continue
		}
		fixtures++
		t.Run(strings.TrimSuffix(filepath.Base(input), ".ll"), func(t *testing.T) {
			testFixture(t, input)
		})
	}
	if fixtures == 0 {
		t.Fatalf("no fixtures in %s", testdata)
	}
}

func testFixture(t *testing.T, input string) {
	text, err := os.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	command, ok := strings.CutPrefix(line, "; passes: ")
	if !ok {
		t.Fatalf("%s does not begin with '; passes: '", input)
	}
	words := strings.Fields(command)
	args := append([]string{"-S", "-passes=" + words[0] + ",verify"}, words[1:]...)
	stdout, stderr, failed := opt(t, text, args...)

	stem := strings.TrimSuffix(input, ".ll")
	wantOutput, wantError := stem+".want.ll", stem+".error"
	switch {
	case failed && exists(wantOutput):
		t.Fatalf("opt fails:\n%s", stderr)
	case !failed && exists(wantError):
		t.Fatalf("opt accepts what it should refuse")
	case failed:
		if len(stdout) != 0 {
			t.Errorf("opt writes %d bytes although it fails", len(stdout))
		}
		compare(t, stderr, wantError)
	default:
		compare(t, withoutNames(stdout), wantOutput)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// withoutNames removes the lines that say how opt was run, not what it did.
func withoutNames(module []byte) []byte {
	var kept [][]byte
	for _, line := range bytes.SplitAfter(module, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("; ModuleID")) && !bytes.HasPrefix(line, []byte("source_filename")) {
			kept = append(kept, line)
		}
	}
	return bytes.TrimLeft(bytes.Join(kept, nil), "\n")
}
