package main

import (
	"context"
	"errors"
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

// leave measures a program twice: with memory that its VM gets when it first touches it, as anywhere,
// and with all of it there. In the middle of a first touch no processor leaves its guest, and
// where a hypervisor below has to give the memory, to clear a large page takes milliseconds.
func (b *bench) leave(ctx context.Context, p *program, script, arg string) error {
	m, err := b.image(ctx, p)
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		name string
		make func(*image.Image, uint64, string, ...string) (*guest, error)
	}{{"", newGuest}, {" memory there", newTouchedGuest}} {
		l, err := leaveOften(ctx, func() (*guest, error) { return kind.make(m, kernelMemory<<20, script, arg) })
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		l.add(b.report, "leave "+p.name+kind.name)
	}
	return nil
}

// leavings are what many requests to leave came to.
type leavings struct {
	took, used    []time.Duration // wall time, and CPU time of this process, in ascending order
	frames, bytes uint64          // the most of any
}

// leaveOften starts a program again whenever it ends before it has left often enough.
func leaveOften(ctx context.Context, start func() (*guest, error)) (*leavings, error) {
	random := rand.New(rand.NewPCG(1, 1))
	l := new(leavings)
	for len(l.took) < leaves {
		had := len(l.took)
		g, err := start()
		if err != nil {
			return nil, err
		}
		err = leaveRun(ctx, g, random, func(left *vmm.Left, cpu time.Duration) bool {
			l.took, l.used = append(l.took, left.Quiesce), append(l.used, cpu)
			l.frames, l.bytes = max(l.frames, left.Frames), max(l.bytes, left.Bytes)
			return len(l.took) < leaves
		})
		if err = errors.Join(err, g.Close()); err != nil {
			return nil, err
		}
		if len(l.took) == had {
			return nil, errors.New("it ended before it could be asked to leave")
		}
	}
	slices.Sort(l.took)
	slices.Sort(l.used)
	return l, nil
}

func (l *leavings) add(r *report, row string) {
	n := len(l.took)
	r.add(row+" median", milliseconds(l.took[n/2]), "ms", fmt.Sprintf("of %d; up to %d frames, %d bytes of records", n, l.frames, l.bytes))
	r.expect(row+" worst", milliseconds(l.took[n-1]), "ms", 2,
		fmt.Sprintf("99th percentile %s ms; beyond the next row, it waited for a processor", number(milliseconds(l.took[n*99/100]))))
	r.expect(row+" worst CPU", milliseconds(l.used[n-1]), "ms", 2,
		fmt.Sprintf("used by this process meanwhile: to the next poll, and to write the records; 99th percentile %s, median %s ms",
			number(milliseconds(l.used[n*99/100])), number(milliseconds(l.used[n/2]))))
}

// leaveRun runs a guest until it ends or note returns false.
func leaveRun(ctx context.Context, g *guest, random *rand.Rand, note func(*vmm.Left, time.Duration) bool) error {
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
