package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// A task is something to do for a program, whose speed is then known.
type task struct {
	name    string
	group   string // tasks of which a mean is wanted; or empty
	program func(context.Context) (*program, error)
	input   func(context.Context) (string, error) // a file; nil: none
	args    []string
	memory  uint64 // of the VM, MiB; 0: 128
}

// arguments returns the task's file, if it has one, and what a process is given.
func (t *task) arguments(ctx context.Context) (input string, args []string, err error) {
	if t.input == nil {
		return "", t.args, nil
	}
	input, err = t.input(ctx)
	return input, append([]string{input}, t.args...), err
}

func (t *task) memoryBytes() uint64 { return cmp.Or(t.memory, 128) << 20 }

// kernelClasses are the problem sizes that take long enough to be measured.
var kernelClasses = map[string]string{"ep": "W", "cg": "A", "is": "B", "mg": "A", "ft": "A"}

// kernelMemory is enough for these, MiB.
const kernelMemory = 512

// tasks take a second or so each.
func (b *bench) tasks() []task {
	var ts []task
	for _, name := range kernels {
		class := b.class
		if class == "" {
			class = kernelClasses[name]
		}
		ts = append(ts, task{
			name: name, group: "npb", args: []string{class}, memory: kernelMemory,
			program: func(context.Context) (*program, error) { return b.kernel(name), nil },
		})
	}
	for _, script := range []struct{ name, arg string }{{"fannkuch", "10"}, {"nqueens", "13"}, {"strings", "400"}} {
		ts = append(ts, task{
			name: "lua " + script.name, group: "lua", args: []string{script.arg}, program: b.lua,
			input: file(filepath.Join(b.root, "examples/lua", script.name+".lua")),
		})
	}
	source := func(ctx context.Context) (string, error) {
		dir, err := b.amalgamation(ctx)
		return filepath.Join(dir, "sqlite3.c"), err
	}
	for _, name := range []string{"recursion", "locals"} {
		ts = append(ts, task{
			name:    name,
			program: func(context.Context) (*program, error) { return b.local(name), nil },
		})
	}
	return append(ts,
		task{name: "sqlite", program: b.sqlite},
		task{name: "zstd", program: b.zstd, input: source},
		task{name: "bzip2", program: b.bzip2, input: source},
		task{name: "mujs", program: b.mujs, input: file(b.testdata("mixed.js")), memory: 1024},
	)
}

func file(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return path, nil }
}

// Expectations of the mean of a group, against clang.
var groupLimits = map[string]float64{"npb": 1.02, "lua": 1.10}

const (
	meanLimit  = 1.01 // over all tasks, against clang
	taskLimit  = 1.05 // of each
	movedLimit = 1.03 // of one that has moved, against one that has not
)

// speeds compares VMs with processes that do the same, and with VMs that have moved.
func speeds(ctx context.Context, b *bench) error {
	means := make(map[string][]float64)
	missing := make(map[string]bool)
	var errs []error
	for _, t := range b.tasks() {
		if !b.wants("speed " + t.name) {
			missing[t.group], missing["all"] = true, true
			continue
		}
		r, err := b.race(ctx, &t)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.name, err))
			missing[t.group], missing["all"] = true, true
			continue
		}
		b.report.expect("speed "+t.name, r.clang.ratio(), "", taskLimit, r.clang.note())
		b.report.add("speed "+t.name+" system", r.system.ratio(), "", r.system.note())
		b.report.add("speed "+t.name+" gcc", r.gcc.ratio(), "", r.gcc.note())
		b.report.expect("speed "+t.name+" moved", r.moved.ratio(), "", movedLimit, r.moved.note())
		for _, group := range []string{t.group, "all"} {
			means[group] = append(means[group], r.clang.ratio())
		}
		means["system"] = append(means["system"], r.system.ratio())
		means["gcc"] = append(means["gcc"], r.gcc.ratio())
	}
	for _, group := range []string{"npb", "lua"} {
		if !missing[group] {
			b.report.expect("speed mean "+group, geomean(means[group]), "", groupLimits[group], "geometric, against clang")
		}
	}
	if !missing["all"] {
		b.report.expect("speed mean", geomean(means["all"]), "", meanLimit, "geometric, of all, against clang")
		b.report.add("speed mean system", geomean(means["system"]), "", "geometric, of all, against clang with system time")
		b.report.add("speed mean gcc", geomean(means["gcc"]), "", "geometric, of all, against gcc")
	}
	return errors.Join(errs...)
}

// A result is what became of a race. system is against clang's program with its system time.
type result struct{ clang, system, gcc, moved pair }

// race runs a task in all ways in turn, several times: what the machine is busy with besides
// falls on all alike.
func (b *bench) race(ctx context.Context, t *task) (*result, error) {
	p, err := t.program(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.image(ctx, p)
	if err != nil {
		return nil, err
	}
	input, args, err := t.arguments(ctx)
	if err != nil {
		return nil, err
	}
	byClang, err := clang.build(ctx, b, p)
	if err != nil {
		return nil, err
	}
	byGCC, err := gcc.build(ctx, b, p)
	if err != nil {
		return nil, err
	}
	r := &result{}
	for range b.runs {
		plain, err := runGuest(ctx, m, t.memoryBytes(), input, t.args, nil)
		if err != nil {
			return nil, err
		}
		ofClang, err := runProcess(ctx, byClang, args)
		if err != nil {
			return nil, err
		}
		moved, err := runGuest(ctx, m, t.memoryBytes(), input, t.args, leaveEarly(plain.wall))
		if err != nil {
			return nil, err
		}
		ofGCC, err := runProcess(ctx, byGCC, args)
		if err != nil {
			return nil, err
		}
		// Processes may print other digits: their libm uses fused multiplication where it can.
		if moved.stdout != plain.stdout {
			return nil, fmt.Errorf("moved, it prints\n%s\ninstead of\n%s", moved.stdout, plain.stdout)
		}
		r.clang.add(plain.cpu, ofClang.cpu)
		r.system.add(plain.cpu, ofClang.cpu+ofClang.system)
		r.moved.add(moved.cpu, plain.cpu)
		r.gcc.add(plain.cpu, ofGCC.cpu)
	}
	return r, nil
}
