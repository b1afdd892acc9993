// Package cpio writes archives that Linux unpacks as its first root.
package cpio

import (
	"fmt"
	"io"
	"io/fs"
	"path"
)

// A Writer writes an archive in the "newc" format
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type Writer struct {
	w       io.Writer
	entries int
	dirs    map[string]bool // that are there
	err     error
}

// New begins an archive.
func New(w io.Writer) *Writer { return &Writer{w: w, dirs: map[string]bool{".": true}} }

// Types of file in an entry's mode (the same document, and cpio(5)).
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeChar = 0o020000
)

// Dir adds a directory and those above it that are not there yet.
func (c *Writer) Dir(name string) {
	if c.dirs[name] {
		return
	}
	c.Dir(path.Dir(name))
	c.entry(name, typeDir|0o755, nil, 0, 0)
	c.dirs[name] = true
}

// File adds a file.
func (c *Writer) File(name string, mode fs.FileMode, data []byte) {
	c.Dir(path.Dir(name))
	c.entry(name, typeFile|uint32(mode.Perm()), data, 0, 0)
}

// Char adds a character device.
func (c *Writer) Char(name string, major, minor uint32) {
	c.Dir(path.Dir(name))
	c.entry(name, typeChar|0o600, nil, major, minor)
}

// Close ends the archive and returns the first error of all.
func (c *Writer) Close() error {
	c.entry("TRAILER!!!", 0, nil, 0, 0)
	return c.err
}

// entry writes one header, the name and the data, each padded to four bytes. Names have no
// slash in front.
func (c *Writer) entry(name string, mode uint32, data []byte, major, minor uint32) {
	c.entries++
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.entries, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0)
	c.padded([]byte(header + name + "\x00"))
	c.padded(data)
}

func (c *Writer) padded(p []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(p)
	}
	if n := -len(p) & 3; n > 0 && c.err == nil {
		_, c.err = c.w.Write(make([]byte, n))
	}
}
