package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// searchPath is where commands are looked for.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// mountAll mounts the file systems of the kernel, and one in memory for data.
func mountAll() error {
	type mount struct{ kind, dir string }
	all := []mount{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"}}
	if !hasSystem() { // which has its own
		all = append(all, mount{"tmpfs", "/tmp"}, mount{"tmpfs", "/var/lib"})
	}
	for _, m := range all {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	return os.Setenv("PATH", searchPath)
}

// insertModules loads the modules of /lib/modules in the order of their names.
func insertModules() error {
	files, err := filepath.Glob("/lib/modules/*.ko")
	if err != nil {
		return err
	}
	for _, name := range files { // sorted
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	return nil
}
