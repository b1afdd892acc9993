package programs_test

import (
	"testing"

	"github.com/migrated/migrated/vmm"
)

// TestMruby compares a script of what Ruby has beside arithmetic with Debian's own mruby.
func TestMruby(t *testing.T) {
	expensive(t, "seven minutes of CPU time")
	t.Logf("seed %d", *seed)
	script := read(t, "testdata/shapes.rb")
	workload{
		args:      []string{"mruby", "/shapes.rb"},
		files:     []vmm.File{{Path: "/shapes.rb", Mode: 0o644, Data: script}},
		reference: []string{"mruby", "testdata/shapes.rb"},
	}.run(t, built(t, "mruby")["mruby"])
}
