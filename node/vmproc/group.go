package vmproc

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/migrated/migrated/node/units"
	"github.com/migrated/migrated/node/vmproc/cgroup"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// What a VM's process may take beyond its guest's memory: itself, what a transfer holds, and what
// the kernel and KVM have on its behalf, which grows with the guest (tables of pages, bits for
// each page).
const (
	groupOverhead = 192 << 20 // bytes
	groupShare    = 32        // and a part of the guest's memory
	groupTasks    = 512       // threads; Go makes one for each call that blocks
)

// groupMemory is the limit of a process whose guest has that much memory.
func groupMemory(guest uint64) uint64 {
	more := groupOverhead + guest/groupShare
	if guest > math.MaxInt64-more { // as much as the kernel takes
		return math.MaxInt64
	}
	return guest + more
}

// SetCPUs says how many processors each VM that starts or comes from now on may take; 0: all.
func (l *Launcher) SetCPUs(n float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.CPUs = n
}

// limits of a process whose guest has that much memory; 0: it has none yet.
func (l *Launcher) limits(memory uint64) cgroup.Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cgroup.Limits{Memory: groupMemory(memory), CPUs: l.cfg.CPUs, Tasks: groupTasks}
}

// place gives a process a control group of its own, unless it has one. Where it cannot have one
// the process goes on without: the finding says why.
func (l *Launcher) place(p *Process) {
	if l.cfg.Groups == nil {
		p.grouped = finding("no", l.cfg.NoGroups)
		return
	}
	pid, err := p.pid()
	if err == nil && p.group == nil {
		p.group = l.cfg.Groups.Of(pid)
	}
	if err == nil && p.group == nil {
		if p.group, err = l.cfg.Groups.New(); err == nil {
			err = p.group.Add(pid)
		}
	}
	if err != nil {
		p.grouped = finding("no", err)
	}
}

// limit has the process's group fit a guest, and says so in its status. p.mu is held.
func (l *Launcher) limit(p *Process, memory uint64) {
	if p.group != nil && p.grouped == nil {
		limits := l.limits(memory)
		err := p.group.Limit(limits)
		if err == nil {
			p.status.Confinement = append(p.status.Confinement, &pb.Confinement{
				Means: groupMeans, Answer: "yes", Note: limitsText(limits),
			})
			return
		}
		p.grouped = finding("no", err)
	}
	if p.grouped != nil {
		p.status.Confinement = append(p.status.Confinement, p.grouped)
	}
}

// ungroup removes a group whose process is gone.
func (p *Process) ungroup() error {
	if p.group == nil {
		return nil
	}
	if err := p.group.Remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a VM's control group: %w", err)
	}
	return nil
}

// groupMeans is what inspect calls it.
const groupMeans = "control group"

func finding(answer string, why error) *pb.Confinement {
	c := &pb.Confinement{Means: groupMeans, Answer: answer}
	if why != nil {
		c.Note = why.Error()
	}
	return c
}

func limitsText(l cgroup.Limits) string {
	cpus := "all processors"
	if l.CPUs > 0 {
		cpus = fmt.Sprintf("%g processors", l.CPUs)
	}
	return fmt.Sprintf("%s, %s, %d threads", units.Bytes(l.Memory).Short(), cpus, l.Tasks)
}
