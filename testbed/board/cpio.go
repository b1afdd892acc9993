package board

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// A cpio writes an archive in the "newc" format, what Linux unpacks as its first root
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type cpio struct {
	w       io.Writer
	entries int
	dirs    map[string]bool // that are there
	err     error
}

func newCPIO(w io.Writer) *cpio { return &cpio{w: w, dirs: map[string]bool{".": true}} }

// Types of file in an entry's mode (the same document, and cpio(5)).
const (
	cpioDir  = 0o040000
	cpioFile = 0o100000
	cpioChar = 0o020000
	cpioLink = 0o120000
)

// dir adds a directory and those above it that are not there yet.
func (c *cpio) dir(name string) {
	if c.dirs[name] {
		return
	}
	c.dir(path.Dir(name))
	c.entry(name, cpioDir|0o755, nil, 0, 0)
	c.dirs[name] = true
}

// file adds a file.
func (c *cpio) file(name string, mode fs.FileMode, data []byte) {
	c.dir(path.Dir(name))
	c.entry(name, cpioFile|uint32(mode.Perm()), data, 0, 0)
}

// link adds a symbolic link.
func (c *cpio) link(name, target string) {
	c.dir(path.Dir(name))
	c.entry(name, cpioLink|0o777, []byte(target), 0, 0)
}

// tree adds all that is in a directory here, as root's.
func (c *cpio) tree(dir string) error {
	return fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		at := filepath.Join(dir, name)
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			c.dir(name)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			c.link(name, target)
		case info.Mode().IsRegular():
			data, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			c.file(name, info.Mode(), data)
		}
		return nil
	})
}

// char adds a character device.
func (c *cpio) char(name string, major, minor uint32) {
	c.dir(path.Dir(name))
	c.entry(name, cpioChar|0o600, nil, major, minor)
}

// close ends the archive and returns the first error of all.
func (c *cpio) close() error {
	c.entry("TRAILER!!!", 0, nil, 0, 0)
	return c.err
}

// entry writes one header, the name and the data, each padded to four bytes. Names have no
// slash in front.
func (c *cpio) entry(name string, mode uint32, data []byte, major, minor uint32) {
	c.entries++
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.entries, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0)
	c.padded([]byte(header + name + "\x00"))
	c.padded(data)
}

func (c *cpio) padded(p []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(p)
	}
	if n := -len(p) & 3; n > 0 && c.err == nil {
		_, c.err = c.w.Write(make([]byte, n))
	}
}
