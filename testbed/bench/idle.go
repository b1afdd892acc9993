package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// idlers is how many VMs are looked at together: what their processes share counts once.
const idlers = 8

// idleMemory is what they get, bytes: no other mapping of a process is as large.
const idleMemory = 81 << 20

// idling measures what the process of a VM that waits for input has resident, without the
// portable memory of its guest.
func idling(ctx context.Context, b *bench) error {
	if !b.wants("idle") {
		return nil
	}
	c, n, err := b.startNode(ctx, b.local("idle"), "")
	if err != nil {
		return err
	}
	defer c.Close()
	for range idlers {
		s, err := n.Session("run", "--memory", fmt.Sprint(idleMemory), filepath.Join(b.dir, "idle.img"))
		if err != nil {
			return err
		}
		defer s.Kill()
		if err := s.Stdout.Await(ctx, "ready\n"); err != nil {
			return fmt.Errorf("%w: %s", err, s.Stderr)
		}
	}
	processes, err := c.Processes()
	if err != nil {
		return err
	}
	var beyond, own uint64
	vms := 0
	for _, p := range processes {
		if strings.HasPrefix(p.Dir, "spare-") {
			continue
		}
		of, rest, err := residentOf(p.PID, idleMemory)
		if err != nil {
			return err
		}
		own, beyond, vms = own+of, beyond+rest, vms+1
	}
	if vms != idlers {
		return fmt.Errorf("%d VMs have %d processes", idlers, vms)
	}
	note := fmt.Sprintf("mean of %d processes, of shared pages their part; the program's own memory is %s MiB", vms, number(mebibytes(float64(own)/idlers)))
	b.report.expect("idle", mebibytes(float64(beyond)/idlers), "MiB", 6, note)
	return nil
}

func mebibytes(n float64) float64 { return n / (1 << 20) }

// residentOf returns what a VM's process has resident: its guest's portable memory, which is
// the mapping that is as large, and the rest, of which shared pages count in part (proc(5),
// /proc/PID/smaps), bytes.
func residentOf(pid int, memory uint64) (guest, rest uint64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	var size uint64 // of the mapping at hand
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		var kib uint64
		if _, err := fmt.Sscanf(value, "%d kB", &kib); err != nil {
			continue
		}
		switch bytes := kib << 10; {
		case name == "Size":
			size = bytes
		case name == "Pss" && size == memory:
			guest += bytes
		case name == "Pss":
			rest += bytes
		}
	}
	return guest, rest, nil
}
