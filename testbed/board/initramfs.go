package board

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// newInitramfs returns a file that lives in memory alone, so that nothing has to be removed.
func newInitramfs(init []byte, k kernel, system string, files map[string]string) (*os.File, error) {
	fd, err := unix.MemfdCreate("initramfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "initramfs")
	w := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(writeInitramfs(w, init, k, system, files), w.Flush()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// writeInitramfs writes the board's root file system: a Debian system, if there is to be one,
// init, the modules, and files, from their path on the board to their path here.
func writeInitramfs(w io.Writer, init []byte, k kernel, system string, files map[string]string) error {
	c := newCPIO(w)
	if system != "" {
		if err := c.tree(system); err != nil {
			return err
		}
	} else {
		// What Go's resolver and os/user read.
		for _, text := range [...]struct{ name, content string }{
			{"etc/hosts", "127.0.0.1 localhost\n"},
			{"etc/passwd", "root:x:0:0:root:/:/bin/sh\n"},
		} {
			c.file(text.name, 0o644, []byte(text.content))
		}
	}
	c.char("dev/console", 5, 1) // Documentation/admin-guide/devices.txt
	c.file("init", 0o755, init)
	for i, m := range modules {
		data, err := os.ReadFile(filepath.Join(k.modules, m))
		if err != nil {
			return err
		}
		c.file(fmt.Sprintf("lib/modules/%02d-%s", i, filepath.Base(m)), 0o644, data)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, "/") || filepath.Clean(name) != name {
			return fmt.Errorf("path %q on the board is not absolute and clean", name)
		}
		info, err := os.Stat(files[name])
		if err != nil {
			return err
		}
		data, err := os.ReadFile(files[name])
		if err != nil {
			return err
		}
		c.file(name[1:], info.Mode(), data)
	}
	return c.close()
}
