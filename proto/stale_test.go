package proto

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedCodeIsCurrent generates anew with the pinned tools and compares.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	readInputs(t)
	out := t.TempDir()
	if b, err := exec.Command("make", "-s", "generate", "OUT="+out).CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, b)
	}
	fresh, checkedIn := generated(t, out), generated(t, ".")
	if len(fresh) == 0 {
		t.Fatal("the generator wrote no Go file")
	}
	for name, want := range fresh {
		if !bytes.Equal(checkedIn[name], want) {
			t.Errorf("%s is stale: run make -C proto generate", name)
		}
		delete(checkedIn, name)
	}
	for name := range checkedIn {
		t.Errorf("%s is generated from nothing any more: delete it", name)
	}
}

// generated returns the contents of all generated files below root by relative path.
func generated(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".pb.go") {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[rel], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// readInputs reads all that make will read, so that go test sees when its cached result is
// out of date.
func readInputs(t *testing.T) {
	t.Helper()
	inputs := []string{"Makefile", "buf.yaml", "buf.gen.yaml"}
	protos, err := filepath.Glob("migrated/v1/*.proto")
	if err != nil || len(protos) == 0 {
		t.Fatalf("no definitions found: %v", err)
	}
	for _, path := range append(inputs, protos...) {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
}
