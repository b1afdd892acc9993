// Package confine takes from a process what the process of a VM never needs: files, sockets,
// other programs, privileges. What is open stays open.
//
// Of each means it says whether it took hold. Hosts differ in what they have; seccomp alone
// already keeps the process from opening anything.
package confine

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// An Answer is what came of a means of confinement.
type Answer int

const (
	Unknown Answer = iota // could not tell
	Yes
	No
)

func (a Answer) String() string { return [...]string{"could not tell", "yes", "no"}[a] }

// A Finding is the answer for one means, and why it is not yes.
type Finding struct {
	Means  string
	Answer Answer
	Note   string
}

// Apply confines this process, all its threads, for good. Call it before anything hostile is
// read and after all is opened. An error means that it is not confined and should not go on.
func Apply() ([]Finding, error) {
	if _, err := all(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return nil, fmt.Errorf("give up new privileges: %w", err)
	}
	findings := []Finding{{Means: "no new privileges", Answer: Yes}, landlock(), network(), capabilities()}
	// Without core files and debuggers, what the guest knows stays where it is.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, fmt.Errorf("give up core files: %w", err)
	}
	if err := seccomp(program(syscallNumbers(), auditArch)); err != nil {
		return nil, fmt.Errorf("give up system calls: %w", err)
	}
	return append(findings, Finding{Means: "seccomp", Answer: Yes}), nil
}

// all makes a system call on all threads.
func all(nr, a, b, c uintptr) (uintptr, error) {
	r, _, errno := syscall.AllThreadsSyscall(nr, a, b, c)
	if errno != 0 {
		return r, errno
	}
	return r, nil
}
