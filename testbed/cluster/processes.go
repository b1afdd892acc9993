package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A VMProcess is the process of a VM here, or one that a daemon keeps ready for the next.
type VMProcess struct {
	PID  int
	Node string // whose
	Dir  string // the name of its directory: ID-STAY, or spare-*
}

// Processes finds those of all nodes here, by their standard error: a file in their directory.
func (c *Cluster) Processes() ([]VMProcess, error) {
	links, err := filepath.Glob("/proc/[0-9]*/fd/2")
	if err != nil {
		return nil, err
	}
	var all []VMProcess
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil {
			continue // it has ended, or is somebody else's
		}
		rest, ours := strings.CutPrefix(to, c.dir+"/")
		parts := strings.Split(rest, "/") // NODE/state/vms/DIR/stderr
		if !ours || len(parts) != 5 || parts[2] != "vms" {
			continue
		}
		p := VMProcess{Node: parts[0], Dir: parts[3]}
		if _, err := fmt.Sscanf(link, "/proc/%d/", &p.PID); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}
