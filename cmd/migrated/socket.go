package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// listenUnix makes the socket, in place of one that a dead daemon left behind. Its owner and
// the members of its group may connect.
func listenUnix(path, group string) (net.Listener, error) {
	gid := -1 // the daemon's
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return nil, fmt.Errorf("socket group: %w", err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return nil, fmt.Errorf("socket group %s: %w", group, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the socket's directory: %w", err)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("another daemon listens on %s: stop it, or give this one a --socket of its own", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of an earlier daemon: %w", err)
	}
	mask := unix.Umask(0o177) // its owner's alone from the first moment
	l, err := net.Listen("unix", path)
	unix.Umask(mask)
	if err == nil {
		if gid >= 0 { // else no call: a service manager may have forbidden it
			err = os.Chown(path, -1, gid)
		}
		err = errors.Join(err, os.Chmod(path, 0o660))
		if err != nil {
			l.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for migratectl: %w", err)
	}
	return l, nil
}
