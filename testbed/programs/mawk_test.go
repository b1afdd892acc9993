package programs_test

import (
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/vmm"
)

// TestMawk compares a script of every kind of statement with Debian's own mawk.
func TestMawk(t *testing.T) {
	expensive(t, "a minute of CPU time")
	t.Logf("seed %d", *seed)
	script := read(t, "testdata/words.awk")
	size := 20_000 // bytes
	if long {
		size *= 20
	}
	run := func(file, out string) []string { return []string{"mawk", "-v", "out=" + out, "-f", file} }
	workload{
		args:      run("/words.awk", "/out"),
		stdin:     prose(size),
		files:     []vmm.File{{Path: "/words.awk", Mode: 0o644, Data: script}},
		reference: run("testdata/words.awk", filepath.Join(t.TempDir(), "out")),
	}.run(t, built(t, "mawk")["mawk"])
}
