package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/toolchain"
)

// The NAS kernels begin on the board and end, verified, on the server. Class S is over soon:
// one that had ended before it could be moved is run again in class W, and A.
func TestNPB(t *testing.T) {
	root, err := board.Root()
	check(t, err)
	for _, kernel := range []string{"ep", "cg", "is", "mg"} {
		t.Run(kernel, func(t *testing.T) {
			f, ctx := begun(t)
			dir := filepath.Join(root, "examples/npb")
			img := filepath.Join(t.TempDir(), kernel)
			check(t, toolchain.Build(t.Context(), toolchain.Options{
				Sources: []string{filepath.Join(dir, kernel+".c"), filepath.Join(dir, "common/npb.c")},
				CFlags:  []string{"-O3", "-std=gnu11"},
				Output:  img,
				Builds:  toolchain.OnePerISA,
			}))
			memory := map[string]string{"S": "128M", "W": "128M", "A": "256M"}
			for _, class := range []string{"S", "W", "A"} {
				name := kernel + "-" + class
				ctl(t, ctx, f.board, "run", "--detach", "--name", name, "--memory", memory[class], img, "--", class)
				moved, err := f.board.Ctl(ctx, "offload", name, "--to", "server-1")
				check(t, err)
				ctl(t, ctx, f.board, "wait", name)
				if out := ctl(t, ctx, f.board, "logs", name); !strings.Contains(out, "class "+class+": VERIFICATION SUCCESSFUL") {
					t.Errorf("class %s is not verified:\n%s", class, out)
				}
				if moved.Code == 0 {
					at(t, ctx, f.board, name, "exited", "server-1")
					return
				}
				if !strings.Contains(moved.Stderr, "has ended") {
					t.Fatalf("offload: %s", moved.Stderr)
				}
			}
			t.Error("no class was long enough to be moved")
		})
	}
}
