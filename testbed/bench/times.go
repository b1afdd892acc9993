package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
)

// runMemory is that of a VM whose speed is measured, bytes: enough for class A of every kernel.
const runMemory = 1 << 30

// A contest compares a VM with processes that do the same.
type contest struct {
	vm        func() (time.Duration, error)
	processes []func() (time.Duration, error)
}

// ratios runs all in turn, several times, and returns the VM's fastest run over the fastest of
// each process. Interleaving spreads the machine's moods over all.
func (c *contest) ratios(ctx context.Context, runs int) (vm time.Duration, ratios []float64, err error) {
	best := make([]time.Duration, 1+len(c.processes))
	for range runs {
		for n, run := range append([]func() (time.Duration, error){c.vm}, c.processes...) {
			if ctx.Err() != nil {
				return 0, nil, ctx.Err()
			}
			took, err := run()
			if err != nil {
				return 0, nil, err
			}
			if best[n] == 0 || took < best[n] {
				best[n] = took
			}
		}
	}
	for _, process := range best[1:] {
		ratios = append(ratios, float64(best[0])/float64(process))
	}
	return best[0], ratios, nil
}

// npbTimes compares the NAS kernels by their own account of their time, which leaves out the
// preparation, as the benchmark's rules have it.
func npbTimes(ctx context.Context, b *bench) error {
	references := []reference{native, alike, withMusl}
	var means [3][]float64
	for _, name := range kernels {
		if !b.wants("npb " + name) {
			continue
		}
		class := b.class
		if name == "is" && class == "W" {
			class = "A" // W takes 10 ms, a few ticks of its clock
		}
		vm, ratios, err := b.compete(ctx, b.kernel(name), references, npbSeconds, "", class)
		if err != nil {
			return err
		}
		note := fmt.Sprintf("class %s, %.3f s; against x86-64-v3 %.3f, against native with musl %.3f",
			class, vm.Seconds(), ratios[1], ratios[2])
		b.report.add("npb "+name, ratios[0], "", note)
		for n, r := range ratios {
			means[n] = append(means[n], r)
		}
	}
	if len(means[0]) == len(kernels) {
		b.report.expect("npb mean", geomean(means[0]), "", 1.02, "geometric, against clang -O3 -march=native")
		b.report.expect("npb mean alike", geomean(means[1]), "", 1.02, "geometric, against -march=x86-64-v3")
		b.report.expect("npb mean musl", geomean(means[2]), "", 1.02, "geometric, against -march=native and static musl")
	}
	return nil
}

// luaTimes compares scripts from start to end of the VM and of the process.
func luaTimes(ctx context.Context, b *bench) error {
	references := []reference{native, alike}
	var means [2][]float64
	for _, s := range scripts {
		if !b.wants("lua " + s.name) {
			continue
		}
		p, err := b.lua(ctx)
		if err != nil {
			return err
		}
		path, err := b.script(s)
		if err != nil {
			return err
		}
		vm, ratios, err := b.compete(ctx, p, references, nil, path, s.arg)
		if err != nil {
			return err
		}
		b.report.expect("lua "+s.name, ratios[0], "", 1.10,
			fmt.Sprintf("%s, %.3f s; against x86-64-v3 %.3f", s.arg, vm.Seconds(), ratios[1]))
		for n, r := range ratios {
			means[n] = append(means[n], r)
		}
	}
	if len(means[0]) == len(scripts) {
		b.report.expect("lua mean", geomean(means[0]), "", 1.10, "geometric")
	}
	return nil
}

// compete builds a program as an image and as processes, and compares them. seconds finds the
// time in standard error; nil: take the whole run.
func (b *bench) compete(ctx context.Context, p *program, references []reference, seconds func(string) (time.Duration, error), script, arg string) (time.Duration, []float64, error) {
	m, err := b.image(ctx, p)
	if err != nil {
		return 0, nil, err
	}
	c := &contest{vm: func() (time.Duration, error) { return runGuest(m, seconds, script, arg) }}
	for _, ref := range references {
		path, err := b.process(ctx, p, ref)
		if err != nil {
			return 0, nil, err
		}
		args := []string{arg}
		if script != "" {
			args = []string{script, arg}
		}
		c.processes = append(c.processes, func() (time.Duration, error) { return runProcess(ctx, seconds, path, args...) })
	}
	return c.ratios(ctx, b.runs)
}

func runGuest(m *image.Image, seconds func(string) (time.Duration, error), script, arg string) (time.Duration, error) {
	g, err := newGuest(m, runMemory, script, arg)
	if err != nil {
		return 0, err
	}
	defer g.Close()
	took, err := g.finish()
	if err != nil || seconds == nil {
		return took, err
	}
	return seconds(g.stream(vmm.Stderr))
}

func runProcess(ctx context.Context, seconds func(string) (time.Duration, error), path string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("run %s: %w\n%s", path, err, errs.Bytes())
	}
	if seconds == nil {
		return took, nil
	}
	return seconds(errs.String())
}

var npbLine = regexp.MustCompile(`class \w: ([0-9.]+) s\n`)

// npbSeconds finds what npb_finish printed.
func npbSeconds(stderr string) (time.Duration, error) {
	found := npbLine.FindStringSubmatch(stderr)
	if found == nil {
		return 0, fmt.Errorf("no time in %q", stderr)
	}
	s, err := strconv.ParseFloat(found[1], 64)
	return time.Duration(s * float64(time.Second)), err
}
