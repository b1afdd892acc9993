package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/migrated/migrated/testbed/child"
)

// ProcessorTime is what the daemons here have used, with the processes of their VMs, those that
// have ended too.
func (c *Cluster) ProcessorTime() (time.Duration, error) {
	vms, err := c.Processes()
	if err != nil {
		return 0, err
	}
	var pids []int
	for _, p := range vms {
		pids = append(pids, p.PID)
	}
	c.mu.Lock()
	for _, n := range c.nodes {
		if p, here := n.process.(*child.Process); here {
			pids = append(pids, p.PID())
		}
	}
	c.mu.Unlock()
	var sum time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended, and its parent has its time
		}
		if err != nil {
			return 0, err
		}
		used, err := usedTime(string(stat))
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// usedTime adds up a process's time and that of its children that are gone: proc_pid_stat(5),
// fields 14 to 17, in hundredths of a second (USER_HZ).
func usedTime(stat string) (time.Duration, error) {
	_, rest, _ := strings.Cut(stat[strings.LastIndexByte(stat, ')')+1:], " ")
	const first, last = 14 - 3, 17 - 3 // the third is the first behind the name
	fields := strings.Fields(rest)
	if len(fields) <= last {
		return 0, fmt.Errorf("process status %q is too short", stat)
	}
	var sum time.Duration
	for _, f := range fields[first : last+1] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("process status %q: %w", stat, err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum, nil
}
