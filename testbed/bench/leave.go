package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
)

// leaves is how often each program is asked to leave its stack.
const leaves = 300

// leaving measures the time from the request to the machine stack having been left, of programs
// that are asked at random moments and go on at once.
func leaving(ctx context.Context, b *bench) error {
	if b.wants("leave lua") {
		p, err := b.lua(ctx)
		if err != nil {
			return err
		}
		path := filepath.Join(b.root, "examples/lua/fannkuch.lua")
		if err := b.leave(ctx, p, path, "11"); err != nil {
			return err
		}
	}
	for _, name := range kernels {
		if !b.wants("leave " + name) {
			continue
		}
		if err := b.leave(ctx, b.kernel(name), "", "A"); err != nil {
			return err
		}
	}
	return nil
}

// leave starts the program again whenever it ends before it has left often enough.
func (b *bench) leave(ctx context.Context, p *program, script, arg string) error {
	m, err := b.image(ctx, p)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 1))
	var times, used []time.Duration
	var frames, bytes uint64
	for len(times) < leaves {
		had := len(times)
		err := leaveRun(ctx, m, script, arg, random, func(left *vmm.Left, cpu time.Duration) bool {
			times, used = append(times, left.Quiesce), append(used, cpu)
			frames, bytes = max(frames, left.Frames), max(bytes, left.Bytes)
			return len(times) < leaves
		})
		if err != nil {
			return err
		}
		if len(times) == had {
			return fmt.Errorf("%s ended before it could be asked to leave", p.name)
		}
	}
	slices.Sort(times)
	slices.Sort(used)
	note := fmt.Sprintf("of %d; up to %d frames, %d bytes of records", len(times), frames, bytes)
	b.report.add("leave "+p.name+" median", milliseconds(times[len(times)/2]), "ms", note)
	b.report.expect("leave "+p.name+" worst", milliseconds(times[len(times)-1]), "ms", 2,
		fmt.Sprintf("99th percentile %s ms; beyond the next row, it waited for a processor", number(milliseconds(times[len(times)*99/100]))))
	b.report.expect("leave "+p.name+" worst CPU", milliseconds(used[len(used)-1]), "ms", 2,
		fmt.Sprintf("used by this process meanwhile: to the next poll, and to write the records; median %s ms", number(milliseconds(used[len(used)/2]))))
	return nil
}

// leaveRun runs a guest until it ends or note returns false.
func leaveRun(ctx context.Context, m *image.Image, script, arg string, random *rand.Rand, note func(*vmm.Left, time.Duration) bool) error {
	g, err := newGuest(m, kernelMemory<<20, script, arg)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := g.Start(nil); err != nil {
		return err
	}
	for {
		select {
		case <-time.After(5*time.Millisecond + time.Duration(random.IntN(20_000))*time.Microsecond):
		case <-g.Done():
			return nil
		}
		before := cpuTime()
		left, err := g.Quiesce(ctx)
		used := cpuTime() - before
		switch {
		case err == vmm.ErrExited:
			return nil
		case err != nil:
			return err
		case !note(left, used):
			return nil
		}
		if err := g.Continue(); err != nil {
			return err
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
