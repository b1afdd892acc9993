package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/symbols"
)

const (
	gapRuns   = 3 // of each program
	gapLimit  = 200 * time.Microsecond
	gapPlaces = 20 // of one program, at most, to be told of
)

// A stretch is what a program runs from one migration point to the next.
type stretch struct {
	from, to uint64 // return addresses
	poll     uint64 // its number, in the order of the run
}

// gaps measures the longest time between two migration points of each task, in images whose
// polls measure it (migratecc --poll-gap).
//
// The guest's counter goes on while its thread waits for a processor, its own or the host's. But
// a program does the same each time, and a wait comes at another moment: of each stretch the
// shortest time of several runs counts.
//
// A row "memory there" is of runs in which the guest has touched all of its memory before: the host
// maps each page for it at the first touch, which is not the program's doing.
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
	for _, kind := range []struct {
		name  string
		touch bool
	}{{"", false}, {" memory there", true}} {
		least, unknown, err := leastGaps(ctx, m, t, input, kind.touch)
		if err != nil {
			return err
		}
		if err := b.reportGap(m, "gap "+t.name+kind.name, least, unknown); err != nil {
			return err
		}
	}
	return nil
}

// leastGaps returns the shortest time of each stretch, and how long one may be that is not among them.
func leastGaps(ctx context.Context, m *image.Image, t *task, input string, touch bool) (map[stretch]time.Duration, time.Duration, error) {
	least := make(map[stretch]time.Duration)
	var unknown time.Duration // shorter stretches may not have been noted
	for n := range gapRuns {
		found, below, err := gapRun(ctx, m, t.memoryBytes(), input, t.args, touch)
		if err != nil {
			return nil, 0, err
		}
		unknown = max(unknown, below)
		if n == 0 {
			least = found
		}
		for s, before := range least {
			if took, ok := found[s]; ok {
				least[s] = min(before, took)
			} else {
				delete(least, s)
			}
		}
	}
	return least, unknown, nil
}

// reportGap reports the longest stretch, and says which other places are as far apart.
func (b *bench) reportGap(m *image.Image, row string, least map[stretch]time.Duration, unknown time.Duration) error {
	type places struct{ from, to uint64 }
	longest := make(map[places]time.Duration)
	for s, took := range least {
		p := places{s.from, s.to}
		longest[p] = max(longest[p], took)
	}
	sorted := slices.SortedFunc(maps.Keys(longest), func(p, q places) int {
		return cmp.Or(cmp.Compare(longest[q], longest[p]), cmp.Compare(p.from, q.from), cmp.Compare(p.to, q.to))
	})
	worst, note := unknown, "none is longer for certain"
	for i, p := range sorted {
		text, err := describe(m, p.from, p.to)
		if err != nil {
			return err
		}
		if i == 0 && longest[p] > unknown {
			worst, note = longest[p], text
		} else if i < gapPlaces && longest[p] > gapLimit/2 {
			logf("  then %s µs %s", number(microseconds(longest[p])), text)
		}
	}
	b.report.expect(row, microseconds(worst), "µs", microseconds(gapLimit), note)
	return nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// gapRun runs a VM, and returns the stretches that it found and how long they are at least.
func gapRun(ctx context.Context, m *image.Image, memory uint64, input string, args []string, touch bool) (map[stretch]time.Duration, time.Duration, error) {
	g, err := newTouchedGuest(m, memory, input, args...)
	if err != nil {
		return nil, 0, err
	}
	defer g.Close()
	if touch {
		if err := touchBefore(m, g.machine); err != nil {
			return nil, 0, err
		}
	}
	if err := g.Start(nil); err != nil {
		return nil, 0, err
	}
	select {
	case <-g.Done():
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	if e := g.Exit(); e.Code != 0 {
		return nil, 0, fmt.Errorf("the guest ended with status %d: %+v\n%s", e.Code, e.Crash, g.stream(vmm.Stderr))
	}
	return readGaps(m, g.machine)
}

// touchBefore has a guest that has not begun touch all of its memory before it measures.
func touchBefore(m *image.Image, machine vmm.Machine) error {
	wanted, err := variable(m, machine, "__mig_gap_touch", 4)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(wanted, 1)
	return nil
}

// Of kernel/gap/poll_gap.c.
const (
	stretches         = 65536
	stretchSize       = 32
	stretchHeaderSize = 16
)

func readGaps(m *image.Image, machine vmm.Machine) (map[stretch]time.Duration, time.Duration, error) {
	clock, ok := machine.(vmm.Timekeeper)
	if !ok {
		return nil, 0, errors.New("the guest has no counter")
	}
	_, mult, err := clock.Counter()
	if err != nil {
		return nil, 0, err
	}
	table, err := variable(m, machine, "__mig_gaps", stretchHeaderSize+stretches*stretchSize)
	if err != nil {
		return nil, 0, err
	}
	duration := func(ticks []byte) time.Duration {
		return time.Duration(float64(binary.LittleEndian.Uint64(ticks)) * float64(mult) / (1 << 32))
	}
	count, least := binary.LittleEndian.Uint64(table), duration(table[8:])
	if count > stretches {
		return nil, 0, fmt.Errorf("the guest's table of stretches is damaged: it has %d", count)
	}
	found := make(map[stretch]time.Duration)
	for entries := table[stretchHeaderSize:]; count > 0; entries, count = entries[stretchSize:], count-1 {
		word := func(n int) uint64 { return binary.LittleEndian.Uint64(entries[8*n:]) }
		found[stretch{from: word(0), to: word(1), poll: word(2)}] = duration(entries[24:])
	}
	return found, least, nil
}

// variable returns a guest's memory of one of its variables.
func variable(m *image.Image, machine vmm.Machine, name string, size int) ([]byte, error) {
	build, err := buildHere(m)
	if err != nil {
		return nil, err
	}
	table, err := symbols.Open(build.Debug)
	if err != nil {
		return nil, err
	}
	address, ok := table.Address(name)
	if !ok {
		return nil, fmt.Errorf("build %s has no symbol %s", build.Info.Level, name)
	}
	return machine.At(vmm.GuestVirt(address), size)
}

func describe(m *image.Image, from, to uint64) (string, error) {
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
	return "from " + place(from) + " to " + place(to), nil
}
