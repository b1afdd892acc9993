package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/migrated/migrated/isa"
)

// A Target is what one build is for.
type Target struct {
	ISA   *isa.ISA
	Level isa.Level
}

// DefaultBuilds are the levels that an image is built for where nothing else is said: all.
var DefaultBuilds = levels()

// OnePerISA names one usual level of each ISA: for tests, and measurements, to which no more
// levels would add anything but time.
var OnePerISA = []string{"x86-64-v3", "armv8-a"}

func levels() []string {
	var names []string
	for _, i := range isa.All() {
		for _, l := range i.Levels {
			names = append(names, l.Name)
		}
	}
	return names
}

// NoBuilds alone in place of level names: a link that only finds out whether a program links.
// Configure scripts want to know no more, many times over.
const NoBuilds = "none"

// Targets resolves level names; none stand for DefaultBuilds, and NoBuilds for no target.
func Targets(names []string) ([]Target, error) {
	if len(names) == 0 {
		names = DefaultBuilds
	}
	if len(names) == 1 && names[0] == NoBuilds {
		return nil, nil
	}
	var targets []Target
	seen := make(map[string]bool)
	for _, name := range names {
		if name == NoBuilds {
			return nil, fmt.Errorf("build %q stands alone or not at all", name)
		}
		i, level, ok := isa.ByLevel(name)
		if !ok {
			return nil, fmt.Errorf("unknown build %q; builds are %s", name, strings.Join(DefaultBuilds, ", "))
		}
		if seen[name] {
			return nil, fmt.Errorf("build %q is given twice", name)
		}
		seen[name] = true
		targets = append(targets, Target{i, level})
	}
	return targets, nil
}

// A Link is one run of the linker: objects and archives in, an image out.
type Link struct {
	Inputs  []Input
	Output  string
	Targets []Target // none: the output is a note that says that the program links
	FP      FP
	Name    string          // of the image; empty: the output's base name
	Emit    map[string]bool // what to keep for inspection, of EmitKinds
	EmitDir string          // where
	PollGap bool            // have the program measure the time between its migration points

	parts int // of each build, for tests; 0: as fits its size
}

// An Input is one word of the linker's command line: a file, or an option of ld's that
// concerns the files around it.
type Input struct {
	Path   string
	Name   string // what messages call the file; empty: Path
	Option string // "--whole-archive", "--defsym=...": in place of Path
}

// Link links an image, or finds what it was linked to before.
func (t *Toolchain) Link(ctx context.Context, l *Link) error {
	if len(l.Targets) == 0 && len(l.Emit) > 0 {
		return fmt.Errorf("--emit: nothing is built with --builds=%s", NoBuilds)
	}
	inputs := NewKey("inputs")
	for _, in := range l.Inputs {
		inputs.Strings(in.Option)
		if in.Path == "" {
			continue
		}
		if err := checkInput(in.Path, inputs); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "migratecc-*")
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	defer os.RemoveAll(dir)
	p := &pipeline{Toolchain: t, ctx: ctx, link: l, dir: dir, natives: make(map[*isa.ISA]*native), cores: new(cores)}
	natives := []string{"native"}
	if l.PollGap {
		natives = append(natives, "gap")
	}
	for _, i := range l.isas() {
		if p.natives[i], err = t.native(i, natives...); err != nil {
			return err
		}
	}
	image, err := p.image(inputs)
	if err != nil {
		return err
	}
	if err := copyOut(image, l.Output); err != nil {
		return fmt.Errorf("write image %s: %w", l.Output, err)
	}
	// An image is not a program of this machine, but makefiles and configure scripts look
	// for the bit.
	if info, err := os.Stat(l.Output); err == nil && info.Mode().IsRegular() {
		readable := info.Mode() & 0o444
		if err := os.Chmod(l.Output, info.Mode()|readable>>2); err != nil {
			return fmt.Errorf("write image %s: %w", l.Output, err)
		}
	}
	if err := t.Cache.Prune(); err != nil {
		return err
	}
	return nil
}

// imageName is the name that an image's config gets.
func (l *Link) imageName() string {
	if l.Name != "" {
		return l.Name
	}
	return filepath.Base(l.Output)
}

// nameOf returns what messages call an input file.
func (l *Link) nameOf(path string) string {
	for _, in := range l.Inputs {
		if in.Path == path && in.Name != "" {
			return in.Name
		}
	}
	return path
}

// isas returns the instruction sets whose native code the program must go with: those of the
// targets, and all where there is no target.
func (l *Link) isas() []*isa.ISA {
	if len(l.Targets) == 0 {
		return isa.All()
	}
	var list []*isa.ISA
	for _, t := range l.Targets {
		if !slices.Contains(list, t.ISA) {
			list = append(list, t.ISA)
		}
	}
	return list
}
