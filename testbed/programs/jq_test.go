package programs_test

import (
	"testing"

	"github.com/migrated/migrated/vmm"
)

// TestJQ compares a filter of every kind of work, regular expressions among them, with
// Debian's own jq.
func TestJQ(t *testing.T) {
	expensive(t, "three minutes of CPU time")
	t.Logf("seed %d", *seed)
	filter := read(t, "testdata/lines.jq")
	run := func(file string) []string { return []string{"jq", "-n", "-R", "-f", file} }
	workload{
		args:      run("/lines.jq"),
		stdin:     prose(200_000),
		files:     []vmm.File{{Path: "/lines.jq", Mode: 0o644, Data: filter}},
		reference: run("testdata/lines.jq"),
	}.run(t, built(t, "jq")["jq"])
}
