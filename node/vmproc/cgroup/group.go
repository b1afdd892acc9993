package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A Group has the processes that were added to it, and theirs.
type Group struct{ dir string }

// Limits are what all in a group may take together.
type Limits struct {
	Memory uint64  // bytes, what the kernel has on its behalf included
	CPUs   float64 // processors; 0: all
	Tasks  int     // processes and threads
}

// cpuPeriod is over which processor time is counted, microseconds: the kernel's own default.
const cpuPeriod = 100_000

// Add moves a process into the group.
func (g *Group) Add(pid int) error { return g.write("cgroup.procs", strconv.Itoa(pid)) }

// Limit sets limits. Those whose controller is not there are left out.
func (g *Group) Limit(l Limits) error {
	cpu := "max"
	if l.CPUs > 0 {
		cpu = strconv.FormatInt(int64(l.CPUs*cpuPeriod), 10)
	}
	return errors.Join(
		g.write("memory.max", strconv.FormatUint(l.Memory, 10)),
		ifThere(g.write("cpu.max", fmt.Sprintf("%s %d", cpu, cpuPeriod))),
		ifThere(g.write("pids.max", strconv.Itoa(l.Tasks))),
	)
}

// Remove removes the group, in which nothing may live.
func (g *Group) Remove() error { return os.Remove(g.dir) }

func (g *Group) write(name, text string) error { return write(filepath.Join(g.dir, name), text) }

// ifThere forgives that a file is not there: its controller is not.
func ifThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// write writes one of the kernel's files, which it never makes.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write to a control group: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write to a control group: %w", err)
	}
	return nil
}
