package programs_test

import (
	"testing"

	"github.com/migrated/migrated/vmm"
)

// TestSQLite runs a mixed workload in memory and in a file, and compares with Debian's shell.
func TestSQLite(t *testing.T) {
	expensive(t, "six minutes of CPU time")
	t.Logf("seed %d", *seed)
	sql := read(t, "testdata/mixed.sql")
	image := built(t, "sqlite3")["sqlite3"]
	for name, database := range map[string]string{"memory": ":memory:", "file": "/tmp/mixed.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			workload{
				args:      []string{"sqlite3", "-batch", database},
				stdin:     sql,
				files:     []vmm.File{{Path: "/tmp/.keep", Mode: 0o644}}, // makes /tmp
				reference: []string{"sqlite3", "-batch", ":memory:"},
			}.run(t, image)
		})
	}
}
