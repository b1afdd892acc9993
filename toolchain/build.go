package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Options says what Build is to make.
type Options struct {
	Sources []string // C files
	Objects []string // objects and archives of migratecc's
	CFlags  []string // clang's options for Sources; none stand for -O2
	Output  string   // the image file
	Name    string   // of the image; empty: Output's base name
	Builds  []string // level names; empty: DefaultBuilds
	FP      FP
	Emit    []string // of EmitKinds
	EmitDir string
	PollGap bool // have the program measure the time between its migration points
}

// Build makes an image with the toolchain that Find finds: compile and link in one call.
func Build(ctx context.Context, o Options) error {
	t, err := Find()
	if err != nil {
		return err
	}
	return t.Build(ctx, o)
}

// Build makes an image.
func (t *Toolchain) Build(ctx context.Context, o Options) error {
	targets, err := Targets(o.Builds)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "migratecc-*")
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(dir)
	flags := o.CFlags
	if len(flags) == 0 {
		flags = []string{"-O2"}
	}
	l := &Link{Output: o.Output, Name: o.Name, Targets: targets, FP: o.FP, EmitDir: o.EmitDir, PollGap: o.PollGap}
	for n, source := range o.Sources {
		object := filepath.Join(dir, fmt.Sprintf("%d.o", n))
		if err := t.Compile(ctx, &Compilation{Args: flags, Source: source, Output: object}); err != nil {
			return err
		}
		l.Inputs = append(l.Inputs, Input{Path: object, Name: source})
	}
	for _, object := range o.Objects {
		l.Inputs = append(l.Inputs, Input{Path: object})
	}
	if l.Emit, err = EmitSet(o.Emit); err != nil {
		return err
	}
	return t.Link(ctx, l)
}

// EmitSet checks names of EmitKinds.
func EmitSet(kinds []string) (map[string]bool, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	set := make(map[string]bool)
	for _, kind := range kinds {
		known := ""
		for _, k := range EmitKinds {
			known += " " + k.Name
			set[kind] = set[kind] || k.Name == kind
		}
		if !set[kind] {
			return nil, fmt.Errorf("nothing called %q can be emitted; there is%s", kind, known)
		}
	}
	return set, nil
}
