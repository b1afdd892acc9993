// Package cgroup gives processes control groups with limits of their own, below the group that
// this process was started in (Documentation/admin-guide/cgroup-v2.rst).
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// own is the group that this process moves to: a group whose controllers are given to those
// below it may have no process itself (the document's "No Internal Process Constraint").
const own = "daemon"

// prefix begins the names of groups that New makes.
const prefix = "vm-"

// controllers are what limits need; memory is what there is no tree without.
var controllers = []string{"memory", "cpu", "pids"}

// A Tree is the group below which others are made.
type Tree struct {
	dir string // below the mount of cgroup2

	mu   sync.Mutex
	last int // number of a group
}

// Open takes the group that this process is in, which must have no other process. Its error says
// why there can be no groups.
func Open() (*Tree, error) {
	dir, err := current("self")
	if err != nil {
		return nil, err
	}
	return open(dir)
}

// open is Open, of a group.
func open(dir string) (*Tree, error) {
	if filepath.Base(dir) == own { // as a daemon before this one has left it
		dir = filepath.Dir(dir)
	}
	t := &Tree{dir: dir}
	if _, err := os.Stat(t.path("cgroup.type")); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the daemon is in the machine's root group: start it in one of its own, as its unit does")
	}
	if there := t.words("cgroup.controllers"); !slices.Contains(there, "memory") {
		return nil, fmt.Errorf("the group %s may not limit memory: its controllers are %q (Delegate= of its unit; cgroup v1 does not count)", dir, there)
	}
	if err := t.enter(); err != nil {
		return nil, err
	}
	return t, nil
}

// enter moves this process out of the way, and has the groups below limited.
func (t *Tree) enter() error {
	if slices.Contains(t.words("cgroup.subtree_control"), "memory") {
		return t.moveTo(own) // nothing else is in it, then
	}
	self := strconv.Itoa(os.Getpid())
	if others := slices.DeleteFunc(t.words("cgroup.procs"), func(pid string) bool { return pid == self }); len(others) > 0 {
		return fmt.Errorf("the daemon shares the group %s with other processes (%s is one): start it in one of its own, as its unit does", t.dir, others[0])
	}
	if err := t.moveTo(own); err != nil {
		return err
	}
	for _, c := range controllers {
		if !slices.Contains(t.words("cgroup.controllers"), c) {
			continue
		}
		if err := t.write("cgroup.subtree_control", "+"+c); err != nil {
			return errors.Join(err, t.leave())
		}
	}
	// However many VMs there are, the daemon gets to run: 100 is a group's share.
	_ = t.write(own+"/cpu.weight", "1000")
	return nil
}

// moveTo puts this process into a group below the tree's.
func (t *Tree) moveTo(name string) error {
	if err := os.Mkdir(t.path(name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a control group: %w", err)
	}
	return t.write(name+"/cgroup.procs", strconv.Itoa(os.Getpid()))
}

// leave puts this process back, for nothing to be left of an attempt.
func (t *Tree) leave() error {
	return errors.Join(t.release(), t.write("cgroup.procs", strconv.Itoa(os.Getpid())), os.Remove(t.path(own)))
}

// control is the group of systemd's own for a unit's commands beside the main one
// (systemd.resource-control(5), Delegate=).
const control = ".control"

// Release has the group of the unit that this process belongs to limit those below it no more, so
// that a process can be started in it. The groups below are there still.
func Release() error {
	dir, err := current("self")
	if err != nil {
		return err
	}
	if filepath.Base(dir) == control {
		dir = filepath.Dir(dir)
	}
	return (&Tree{dir: dir}).release()
}

func (t *Tree) release() error {
	for _, c := range t.words("cgroup.subtree_control") {
		if err := t.write("cgroup.subtree_control", "-"+c); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes groups of processes that have ended.
func (t *Tree) Sweep() {
	dirs, _ := filepath.Glob(t.path(prefix + "*"))
	for _, dir := range dirs {
		_ = unix.Rmdir(dir) // it fails where something lives
	}
}

// New makes a group.
func (t *Tree) New() (*Group, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		t.last++
		g := &Group{t.path(prefix + strconv.Itoa(t.last))}
		err := os.Mkdir(g.dir, 0o755)
		if err == nil {
			return g, nil
		}
		if !errors.Is(err, fs.ErrExist) { // of a process of an earlier daemon
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
}

// Of returns the group that New has made for a process; nil: none.
func (t *Tree) Of(pid int) *Group {
	dir, err := current(strconv.Itoa(pid))
	if err != nil || filepath.Dir(dir) != t.dir || !strings.HasPrefix(filepath.Base(dir), prefix) {
		return nil
	}
	return &Group{dir}
}

// String names it in messages.
func (t *Tree) String() string { return t.dir }

func (t *Tree) path(name string) string { return filepath.Join(t.dir, name) }

func (t *Tree) write(name, text string) error { return write(t.path(name), text) }

// words is a file's content; none where it cannot be read.
func (t *Tree) words(name string) []string {
	b, _ := os.ReadFile(t.path(name))
	return strings.Fields(string(b))
}
