package programs_test

import (
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/vmm"
)

// TestPython compares a tour of Python and its library with Debian's own.
func TestPython(t *testing.T) {
	expensive(t, "twenty minutes of CPU time")
	t.Logf("seed %d", *seed)
	image := built(t, "python")["python"]
	workload{
		args: []string{"python", "/tour.py"},
		files: []vmm.File{
			{Path: "/tour.py", Mode: 0o644, Data: read(t, "testdata/tour.py")},
			{Path: "/usr/local/lib/python311.zip", Mode: 0o644, Data: read(t, filepath.Join(filepath.Dir(image), "python311.zip"))},
		},
		memory:    256 << 20,
		reference: []string{"/usr/bin/python3.11", "testdata/tour.py"},
	}.run(t, image)
}
