package vmproc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Usage is what a VM's process takes of its machine.
type Usage struct {
	CPU      time.Duration // of all its threads, the guest's work included
	Resident uint64        // memory that it has touched, bytes
}

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on all ISAs that
// have KVM (proc(5), times(2)).
const clockTick = 10 * time.Millisecond

// Usage returns what the process has taken so far.
func (p *Process) Usage() (Usage, error) {
	pid, err := p.pid()
	if err != nil {
		return Usage{}, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read a VM's usage: %w", err)
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read a VM's usage: %w", err)
	}
	if now, err := p.pid(); err != nil || now != pid { // the number may be another's meanwhile
		return Usage{}, ErrGone
	}
	return parseUsage(string(stat), string(statm))
}

// pid is the process's number while it lives (pidfd_open(2), "fdinfo").
func (p *Process) pid() (int, error) {
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", p.pidfd))
	if err != nil {
		return 0, fmt.Errorf("find a VM's process: %w", err)
	}
	for line := range strings.Lines(string(info)) {
		if value, ok := strings.CutPrefix(line, "Pid:"); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(value))
			if err == nil && pid > 0 {
				return pid, nil
			}
		}
	}
	return 0, ErrGone
}

// parseUsage reads /proc/PID/stat and statm (proc(5)). The name in the former may hold
// anything; what counts follows its last parenthesis.
func parseUsage(stat, statm string) (Usage, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	pages := strings.Fields(statm)
	if len(fields) < 13 || len(pages) < 2 {
		return Usage{}, fmt.Errorf("read a VM's usage: %q and %q are not what proc(5) says", stat, statm)
	}
	const utime, stime = 14 - 3, 15 - 3 // numbers of fields in proc(5); the first one here is 3
	var ticks uint64
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read a VM's usage: %w", err)
		}
		ticks += n
	}
	resident, err := strconv.ParseUint(pages[1], 10, 64)
	if err != nil {
		return Usage{}, fmt.Errorf("read a VM's usage: %w", err)
	}
	return Usage{CPU: time.Duration(ticks) * clockTick, Resident: resident * uint64(os.Getpagesize())}, nil
}
