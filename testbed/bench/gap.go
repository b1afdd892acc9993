package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/symbols"
)

const (
	gapRuns  = 3   // of each program
	gapLimit = 200 // µs
)

// A stretch is what a program runs from one migration point to the next: return addresses.
type stretch struct{ from, to uint64 }

// gaps measures the longest time between two migration points of each task, in images whose
// polls measure it (migratecc --poll-gap).
//
// The guest's counter goes on while its thread waits for a processor. So the thread has
// precedence over all others where that is allowed, and of each stretch the shortest of its
// longest times in several runs counts: the program takes that long whatever the machine does.
func gaps(ctx context.Context, b *bench) error {
	var errs []error
	for _, t := range b.tasks() {
		if !b.wants("gap " + t.name) {
			continue
		}
		if err := b.gap(ctx, &t); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.name, err))
		}
	}
	return errors.Join(errs...)
}

func (b *bench) gap(ctx context.Context, t *task) error {
	p, err := t.program(ctx)
	if err != nil {
		return err
	}
	o := b.options(p)
	o.PollGap = true
	o.Output = filepath.Join(b.dir, p.name+".gap.img")
	logf("building %s", o.Output)
	if err := toolchain.Build(ctx, o); err != nil {
		return err
	}
	m, err := image.Open(o.Output)
	if err != nil {
		return err
	}
	input, _, err := t.arguments(ctx)
	if err != nil {
		return err
	}
	least := make(map[stretch]time.Duration)
	for n := range gapRuns {
		found, err := gapRun(ctx, m, t.memoryBytes(), input, t.args)
		if err != nil {
			return err
		}
		for s, took := range found {
			if before, ok := least[s]; n == 0 || ok && took < before {
				least[s] = took
			}
		}
		for s := range least {
			if _, ok := found[s]; !ok {
				delete(least, s)
			}
		}
	}
	if len(least) == 0 {
		return errors.New("no migration points were passed")
	}
	var longest stretch
	for s, took := range least {
		if took > least[longest] {
			longest = s
		}
	}
	note, err := describe(m, longest)
	if err != nil {
		return err
	}
	b.report.expect("gap "+t.name, float64(least[longest])/float64(time.Microsecond), "µs", gapLimit, note)
	return nil
}

// gapRun runs a VM, and returns its stretches' longest times.
func gapRun(ctx context.Context, m *image.Image, memory uint64, input string, args []string) (map[stretch]time.Duration, error) {
	g, err := newTouchedGuest(m, memory, input, args...)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	restore := takePrecedence()
	err = g.Start(nil)
	if err == nil {
		select {
		case <-g.Done():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	restore()
	if err != nil {
		return nil, err
	}
	if e := g.Exit(); e.Code != 0 {
		return nil, fmt.Errorf("the guest ended with status %d: %+v\n%s", e.Code, e.Crash, g.stream(vmm.Stderr))
	}
	return readGaps(m, g.machine)
}

// Of kernel/gap/poll_gap.c.
const (
	stretches   = 1024
	stretchSize = 24
)

func readGaps(m *image.Image, machine vmm.Machine) (map[stretch]time.Duration, error) {
	clock, ok := machine.(vmm.Timekeeper)
	if !ok {
		return nil, errors.New("the guest has no counter")
	}
	_, mult, err := clock.Counter()
	if err != nil {
		return nil, err
	}
	build, err := buildHere(m)
	if err != nil {
		return nil, err
	}
	address, err := symbolAddress(build, "__mig_gaps")
	if err != nil {
		return nil, err
	}
	table, err := machine.At(vmm.GuestVirt(address), stretches*stretchSize)
	if err != nil {
		return nil, err
	}
	found := make(map[stretch]time.Duration)
	for ; len(table) > 0; table = table[stretchSize:] {
		s := stretch{binary.LittleEndian.Uint64(table), binary.LittleEndian.Uint64(table[8:])}
		if s.to != 0 {
			ticks := binary.LittleEndian.Uint64(table[16:])
			found[s] = time.Duration(float64(ticks) * float64(mult) / (1 << 32))
		}
	}
	return found, nil
}

func symbolAddress(build *image.Build, name string) (uint64, error) {
	f, err := elf.NewFile(bytes.NewReader(build.Debug))
	if err != nil {
		return 0, err
	}
	list, err := f.Symbols()
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		if s.Name == name {
			return s.Value, nil
		}
	}
	return 0, fmt.Errorf("build %s has no symbol %s", build.Info.Level, name)
}

func describe(m *image.Image, s stretch) (string, error) {
	build, err := buildHere(m)
	if err != nil {
		return "", err
	}
	table, err := symbols.Open(build.Debug)
	if err != nil {
		return "", err
	}
	place := func(pc uint64) string {
		chain := table.Lookup(pc - 1)
		if len(chain) == 0 {
			return "0x" + strconv.FormatUint(pc, 16)
		}
		l := chain[0]
		return fmt.Sprintf("%s (%s:%d)", l.Function, filepath.Base(l.File), l.Line)
	}
	return "from " + place(s.from) + " to " + place(s.to), nil
}

// takePrecedence gives all threads of this process precedence over those of others, where that
// is allowed, and those that they start; the function that it returns ends that.
func takePrecedence() func() {
	set := func(attr *unix.SchedAttr) {
		attr.Size = unix.SizeofSchedAttr
		threads, _ := os.ReadDir("/proc/self/task")
		for _, t := range threads {
			if tid, err := strconv.Atoi(t.Name()); err == nil {
				_ = unix.SchedSetAttr(tid, attr, 0) // of a thread that has ended, or not allowed
			}
		}
	}
	set(&unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1})
	return func() { set(&unix.SchedAttr{Policy: unix.SCHED_NORMAL}) }
}
