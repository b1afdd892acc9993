package programs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
)

// TestNPB runs the NAS kernels, which verify themselves.
func TestNPB(t *testing.T) {
	t.Logf("seed %d", *seed)
	class := "S"
	if long {
		class = "W"
	}
	for _, kernel := range []string{"ep", "cg", "ft", "is", "mg"} {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()
			dir := "../../examples/npb/"
			path := filepath.Join(t.TempDir(), kernel)
			err := toolchain.Build(t.Context(), toolchain.Options{
				Sources: []string{dir + kernel + ".c", dir + "common/npb.c"},
				CFlags:  []string{"-O3", "-std=gnu11"},
				Output:  path,
				Builds:  toolchain.OnePerISA,
			})
			if err != nil {
				t.Fatal(err)
			}
			m := open(t, path)
			p, err := oracle.Of(m)
			if err != nil {
				t.Fatal(err)
			}
			p.Memory, p.Args = 256<<20, []string{kernel, class}
			out := moved(t, p, m).Stdout
			if !strings.Contains(string(out), "VERIFICATION SUCCESSFUL") {
				t.Errorf("not verified:\n%s", out)
			}
		})
	}
}
