package board

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The archive is read by another program.
func TestCPIO(t *testing.T) {
	tool, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip("no cpio to read the archive with; the boards' kernel reads it in TestBoard")
	}
	var archive bytes.Buffer
	c := newCPIO(&archive)
	c.file("a/b/file", 0o640, []byte("content"))
	c.file("a/b/empty", 0o755, nil)
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(tool, "-i", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &archive
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]struct {
		content string
		mode    os.FileMode
	}{"a/b/file": {"content", 0o640}, "a/b/empty": {"", 0o755}} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(data) != want.content || info.Mode() != want.mode {
			t.Errorf("%s: %q %v %v, want %q %v", name, data, info.Mode(), err, want.content, want.mode)
		}
	}
}

type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestCPIOReportsErrors(t *testing.T) {
	c := newCPIO(&failing{left: 300})
	c.file("a/file", 0o644, make([]byte, 200))
	c.file("a/other", 0o644, nil)
	if err := c.close(); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}
