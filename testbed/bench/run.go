package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
)

// An outcome is one run from start to end.
//
// Of a VM, cpu is user and system time of this whole process, so that what KVM costs is in it,
// with memory that has been there before. Of a process it is user time alone: most of its system
// time is that of the kernel's clearing pages that are touched for the first time, which depends on
// the size of pages and on where the kernel has them from far more than on the program. What else is in
// it, output and memory that is freed and mapped again, is in a VM's cpu: so system is there too, for
// the truth is between the two.
type outcome struct {
	cpu    time.Duration
	system time.Duration // of a process
	wall   time.Duration
	stdout string
}

// runGuest runs a VM. meanwhile, where not nil, may do something to it.
func runGuest(ctx context.Context, m *image.Image, memory uint64, input string, args []string, meanwhile func(context.Context, *guest) error) (*outcome, error) {
	g, err := newTouchedGuest(m, memory, input, args...)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	runtime.GC() // not while the VM runs
	before, began := cpuTime(), time.Now()
	if err := g.Start(nil); err != nil {
		return nil, err
	}
	if meanwhile != nil {
		if err := meanwhile(ctx, g); err != nil {
			return nil, err
		}
	}
	select {
	case <-g.Done():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	o := &outcome{cpu: cpuTime() - before, wall: time.Since(began), stdout: g.stream(vmm.Stdout)}
	if e := g.Exit(); e.Code != 0 {
		return nil, fmt.Errorf("the guest ended with status %d: %+v\n%s", e.Code, e.Crash, g.stream(vmm.Stderr))
	}
	return o, nil
}

// leaveEarly has a VM leave its machine stacks in the first twentieth of its time, and come
// back: a move without the transfer.
func leaveEarly(wall time.Duration) func(context.Context, *guest) error {
	return func(ctx context.Context, g *guest) error {
		time.Sleep(wall / 20)
		if _, err := g.Quiesce(ctx); err != nil {
			return fmt.Errorf("move early: %w", err)
		}
		return g.Continue()
	}
}

func runProcess(ctx context.Context, path string, args []string) (*outcome, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", path, err, errs.Bytes())
	}
	used := cmd.ProcessState
	return &outcome{cpu: used.UserTime(), system: used.SystemTime(), wall: time.Since(began), stdout: out.String()}, nil
}

// cpuTime returns what this process has used.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no other argument to be wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
