package main

import (
	"context"
	"fmt"
	"math/rand/v2"
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
		path, err := b.script(script{name: "fannkuch"})
		if err != nil {
			return err
		}
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
	var times []time.Duration
	var frames, bytes uint64
	for len(times) < leaves {
		had := len(times)
		err := leaveRun(ctx, m, script, arg, random, func(left *vmm.Left) bool {
			times = append(times, left.Quiesce)
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
	note := fmt.Sprintf("of %d; up to %d frames, %d bytes of records", len(times), frames, bytes)
	b.report.add("leave "+p.name+" median", milliseconds(times[len(times)/2]), "ms", note)
	b.report.expect("leave "+p.name+" worst", milliseconds(times[len(times)-1]), "ms", 2,
		fmt.Sprintf("99th percentile %s ms", number(milliseconds(times[len(times)*99/100]))))
	return nil
}

// leaveRun runs a guest until it ends or note returns false.
func leaveRun(ctx context.Context, m *image.Image, script, arg string, random *rand.Rand, note func(*vmm.Left) bool) error {
	g, err := newGuest(m, runMemory, script, arg)
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
		left, err := g.Quiesce(ctx)
		switch {
		case err == vmm.ErrExited:
			return nil
		case err != nil:
			return err
		case !note(left):
			return nil
		}
		if err := g.Continue(); err != nil {
			return err
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
