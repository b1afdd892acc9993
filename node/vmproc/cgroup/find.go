package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// errNone is for kernels and containers without a mounted cgroup2.
var errNone = errors.New("cgroup v2 is not mounted here")

// current is the directory of the group that a process is in; pid may be "self".
func current(pid string) (string, error) {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "cgroup"))
	if err != nil {
		return "", err
	}
	group, err := groupOf(string(b))
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	return locate(string(mounts), group)
}

// groupOf finds the unified hierarchy's line of /proc/PID/cgroup (cgroups(7)): "0::/group".
func groupOf(text string) (string, error) {
	for line := range strings.Lines(text) {
		if group, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return group, nil
		}
	}
	return "", errNone
}

// locate finds a group's directory by /proc/self/mountinfo (proc(5)).
func locate(mounts, group string) (string, error) {
	for s := bufio.NewScanner(strings.NewReader(mounts)); s.Scan(); {
		before, after, ok := strings.Cut(s.Text(), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kind) == 0 || kind[0] != "cgroup2" {
			continue
		}
		root, at := fields[3], unescape(fields[4])
		below, err := filepath.Rel(root, group)
		if err != nil || below == ".." || strings.HasPrefix(below, "../") {
			return "", fmt.Errorf("the group %s is not below %s, which is what is mounted here", group, root)
		}
		return filepath.Join(at, below), nil
	}
	return "", errNone
}

// unescape reads a path as mountinfo writes it.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
