package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/layout"
	"github.com/migrated/migrated/layout/region"
)

// image makes an image file of inputs with this key, and returns its path.
func (p *pipeline) image(inputs *Key) (string, error) {
	if len(p.link.Emit) > 0 {
		// All steps are wanted, so none is left out but those that have a cache of their own.
		out := filepath.Join(p.dir, "image")
		return out, p.makeImage(out)
	}
	key, err := p.imageKey(inputs)
	if err != nil {
		return "", err
	}
	dir, err := p.remember(key, p.dir, func(t *Toolchain, dir string) error {
		q := *p
		q.Toolchain = t
		return q.makeImage(filepath.Join(dir, "image"))
	})
	return filepath.Join(dir, "image"), err
}

func (p *pipeline) imageKey(inputs *Key) (*Key, error) {
	key := NewKey("image 4")
	key.Strings(inputs.sum(), p.link.imageName(), fmt.Sprint(region.ABIVersion), fmt.Sprint(p.link.PollGap), fmt.Sprint(p.link.parts))
	key.Strings(p.link.fpArgs()...)
	key.Strings(p.link.fpNeeds()...)
	always, err := p.always()
	if err != nil {
		return nil, err
	}
	for _, path := range append(always, p.libc(), p.Plugin) {
		key.File(path)
	}
	for _, program := range []string{opt, clang, lld, nm} {
		key.Program(program)
	}
	// The planner, verifier and writer are in this program.
	if exe, err := os.Executable(); err == nil {
		key.File(exe)
	}
	for _, i := range p.link.isas() {
		p.natives[i].key(key)
	}
	for _, t := range p.link.Targets {
		key.Strings(t.Level.Name, t.Level.Tune)
		key.Strings(p.codeGen(t)...)
	}
	return key, nil
}

// A build is one build on its way.
type build struct {
	target  Target
	objects []string // relocatable ELF of the program, in the order of its functions
	linked  string   // ELF with everything
}

// linksNote is in place of an image that was asked for without builds.
const linksNote = "This program links. It is no image: its builds were given as " + NoBuilds + ", for a configure script.\n"

func (p *pipeline) makeImage(out string) error {
	merged, err := p.merge()
	if err != nil {
		return err
	}
	if len(p.link.Targets) == 0 {
		return os.WriteFile(out, []byte(linksNote), 0o644)
	}
	portable, err := p.transform(merged, migratable)
	if err != nil {
		return err
	}
	builds := make([]*build, len(p.link.Targets))
	err = p.each(len(builds), func(p *pipeline, n int) error {
		objects, err := p.objects(filepath.Join(portable, "portable.bc"), p.link.Targets[n])
		builds[n] = &build{target: p.link.Targets[n], objects: objects}
		return err
	})
	if err != nil {
		return err
	}
	plan, err := p.plan(builds)
	if err != nil {
		return err
	}
	if err := p.linkBuilds(plan, builds); err != nil {
		return err
	}
	sites, err := os.ReadFile(filepath.Join(portable, "sites"))
	if err != nil {
		return fmt.Errorf("read site table: %w", err)
	}
	lines, err := os.ReadFile(filepath.Join(portable, "lines"))
	if err != nil {
		return fmt.Errorf("read the lines of sites: %w", err)
	}
	if err := verify(plan, sites, builds); err != nil {
		return err
	}
	if err := p.emit(merged, portable, plan, builds); err != nil {
		return err
	}
	return p.pack(plan, builds, sites, lines, out)
}

// each calls f for 0 to n-1 at once, and returns the first error in that order. What the programs of
// each have to say comes out in that order too, and nothing behind an error.
func (p *pipeline) each(n int, f func(p *pipeline, n int) error) error {
	errs := make([]error, n)
	said := make([]bytes.Buffer, n)
	var wg sync.WaitGroup
	for i := range n {
		tc := *p.Toolchain
		tc.Stderr = &said[i]
		q := *p
		q.Toolchain = &tc
		wg.Go(func() { errs[i] = f(&q, i) })
	}
	wg.Wait()
	for i, err := range errs {
		if _, werr := said[i].WriteTo(p.Stderr); err == nil {
			err = werr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Passes between the merged program and the builds.
const (
	optimised  = "migrated-prepare,default<O2>"
	migratable = optimised + ",migrated-transform"
	// The same without the core passes, to compare with: a program that cannot migrate.
	bare = optimised + ",migrated-fast-math,migrated-math,migrated-release-library," +
		"globaldce,migrated-forget-library,migrated-globals"
)

// transform runs passes over the merged program. The directory that it returns holds
// portable.bc, and sites and their lines if it is migratable.
func (p *pipeline) transform(merged, passes string) (string, error) {
	args := []string{
		"-load-pass-plugin=" + p.Plugin,
		"-passes=" + passes,
		// Vectorising and unrolling are for each build, with its CPU in sight.
		"-vectorize-loops=false", "-vectorize-slp=false", "-interleave-loops=false",
		"-disable-loop-unrolling",
		"-migrated-keep=" + strings.Join(p.keep(), ","),
	}
	args = append(args, p.link.fpArgs()...)
	if p.link.PollGap {
		args = append(args, "-migrated-poll-gap")
	}
	key := NewKey("transform 2")
	key.Program(opt)
	key.File(p.Plugin)
	key.File(merged)
	key.Strings(args[1:]...)
	return p.Cache.Do(key, p.dir, func(dir string) error {
		return p.run(p.ctx, opt, append(args, "-migrated-sites="+filepath.Join(dir, "sites"),
			"-migrated-lines="+filepath.Join(dir, "lines"), merged, "-o", filepath.Join(dir, "portable.bc"))...)
	})
}

// plan plans the common layout, and puts the builds into its order.
func (p *pipeline) plan(builds []*build) (*layout.Plan, error) {
	byLevel := make(map[string]*build)
	var inputs []*layout.Build
	for _, b := range builds {
		in := &layout.Build{ISA: b.target.ISA, Level: b.target.Level.Name}
		for _, path := range b.objects {
			if err := addObject(in, path, false); err != nil {
				return nil, err
			}
		}
		for _, path := range p.natives[b.target.ISA].objects {
			if err := addObject(in, path, true); err != nil {
				return nil, err
			}
		}
		inputs = append(inputs, in)
		byLevel[in.Level] = b
	}
	plan, err := layout.New(inputs...)
	if err != nil {
		var big *layout.StaticTooBigError
		if errors.As(err, &big) {
			big.Files = p.definers()
			err = fmt.Errorf("plan layout: %w", big) // whose text is another one now
		}
		return nil, err
	}
	for i, in := range plan.Builds {
		builds[i] = byLevel[in.Level]
	}
	return plan, nil
}

func addObject(b *layout.Build, path string, native bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := b.AddObject(f, native); err != nil {
		return fmt.Errorf("build %s: %s: %w", b.Name(), path, err)
	}
	return nil
}

// linkBuilds links each build where the plan says.
func (p *pipeline) linkBuilds(plan *layout.Plan, builds []*build) error {
	script := filepath.Join(p.dir, "layout.ld")
	if err := os.WriteFile(script, plan.LinkerScript(), 0o644); err != nil {
		return fmt.Errorf("write linker script: %w", err)
	}
	return p.each(len(builds), func(p *pipeline, n int) error {
		b := builds[n]
		native := p.natives[b.target.ISA]
		b.linked = filepath.Join(p.dir, b.target.Level.Name+".elf")
		args := []string{
			"-m", b.target.ISA.Emulation, "-static", "-nostdlib", "-T", script,
			"--eh-frame-hdr", "--build-id=none", "--no-rosegment", "-z", "norelro",
			"-z", fmt.Sprintf("max-page-size=%d", region.PageSize),
			"--fatal-warnings",
		}
		args = append(args, b.objects...)
		if p.link.PollGap {
			args = append(args, "--wrap=__mig_ring")
		}
		args = append(args, native.objects...)
		args = append(args, "--start-group")
		args = append(args, native.archives...)
		return p.onCore(0, lld, append(args, "--end-group", "-o", b.linked)...)
	})
}

// verify reads the linked builds back.
func verify(plan *layout.Plan, table []byte, builds []*build) error {
	sites, err := layout.ParseSites(table)
	if err != nil {
		return err
	}
	files := make([]*os.File, len(builds))
	for i, b := range builds {
		f, err := os.Open(b.linked)
		if err != nil {
			return err
		}
		defer f.Close()
		files[i] = f
	}
	return plan.Verify(sites, readers(files)...)
}

// pack writes the image file.
func (p *pipeline) pack(plan *layout.Plan, builds []*build, sites, lines []byte, out string) error {
	contents := &image.Contents{
		ABI:       region.ABIVersion,
		Name:      p.link.imageName(),
		StaticEnd: plan.StaticEnd,
		Layout:    plan.Table().Encode(),
		Sites:     sites,
	}
	for _, b := range builds {
		linked, err := os.ReadFile(b.linked)
		if err != nil {
			return err
		}
		exec, debug, err := splitELF(linked, lines)
		if err != nil {
			return fmt.Errorf("split build %s: %w", b.target.Level.Name, err)
		}
		contents.Builds = append(contents.Builds, &image.Build{
			Info:  image.BuildInfo{ISA: b.target.ISA.Name, Level: b.target.Level.Name},
			ISA:   b.target.ISA,
			Exec:  exec,
			Debug: debug,
		})
	}
	m, err := image.New(contents)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := m.Write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
