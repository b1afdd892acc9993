package toolchain

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/migrated/migrated/layout"
)

// EmitKinds are the intermediate results that Link.Emit may ask for, and what they are.
var EmitKinds = []struct{ Name, Meaning string }{
	{"ir", "merged.bc, portable.bc and LEVEL.bc: the program before and behind the passes"},
	{"sites", "sites: the site table"},
	{"obj", "LEVEL.o: each build before it is linked"},
	{"layout", "layout.txt, layout.json and layout.ld: the plan"},
	{"bare", "LEVEL.bare.o: each build's program without the passes that let it migrate"},
	{"elf", "LEVEL.elf: each build with symbols and debug information"},
}

// emit copies what was asked for to Link.EmitDir.
func (p *pipeline) emit(merged, portable string, plan *layout.Plan, builds []*build) error {
	if len(p.link.Emit) == 0 {
		return nil
	}
	dir := p.link.EmitDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	if p.link.Emit["bare"] {
		if err := p.emitBare(merged, dir); err != nil {
			return err
		}
	}
	copies := map[string][]string{ // kind: from, to, from, to ...
		"ir":    {merged, "merged.bc", filepath.Join(portable, "portable.bc"), "portable.bc"},
		"sites": {filepath.Join(portable, "sites"), "sites"},
	}
	for _, b := range builds {
		copies["elf"] = append(copies["elf"], b.linked, b.target.Level.Name+".elf")
		stem := filepath.Join(dir, b.target.Level.Name)
		if p.link.Emit["ir"] {
			if err := p.emitTarget(filepath.Join(portable, "portable.bc"), b.target, stem+".bc"); err != nil {
				return err
			}
		}
		if p.link.Emit["obj"] {
			if err := p.emitObject(b.objects, b.target, stem+".o"); err != nil {
				return err
			}
		}
	}
	for kind, list := range copies {
		if !p.link.Emit[kind] {
			continue
		}
		for i := 0; i < len(list); i += 2 {
			if err := copyOut(list[i], filepath.Join(dir, list[i+1])); err != nil {
				return fmt.Errorf("emit %s: %w", list[i+1], err)
			}
		}
	}
	if !p.link.Emit["layout"] {
		return nil
	}
	table := plan.Table()
	var text bytes.Buffer
	if err := table.Print(&text); err != nil {
		return fmt.Errorf("emit layout: %w", err)
	}
	for name, content := range map[string][]byte{
		"layout.txt": text.Bytes(), "layout.json": table.Encode(), "layout.ld": plan.LinkerScript(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("emit layout: %w", err)
		}
	}
	return nil
}

// emitBare compiles the program once more, as one that stays where it is.
func (p *pipeline) emitBare(merged, dir string) error {
	portable, err := p.transform(merged, bare)
	if err != nil {
		return err
	}
	return p.each(len(p.link.Targets), func(p *pipeline, n int) error {
		t := p.link.Targets[n]
		objects, err := p.objects(filepath.Join(portable, "portable.bc"), t)
		if err != nil {
			return err
		}
		return p.emitObject(objects, t, filepath.Join(dir, t.Level.Name+".bare.o"))
	})
}

// emitObject joins the objects of a build.
func (p *pipeline) emitObject(objects []string, t Target, out string) error {
	if len(objects) == 1 {
		return copyOut(objects[0], out)
	}
	return p.run(p.ctx, lld, append([]string{"-m", t.ISA.Emulation, "-r", "-o", out}, objects...)...)
}

// emitTarget writes a build's program as clang optimises it.
func (p *pipeline) emitTarget(portable string, t Target, out string) error {
	args := append([]string{"-load-pass-plugin=" + p.Plugin, "-passes=migrated-target"}, targetOptions(t)...)
	return p.run(p.ctx, opt, append(args, portable, "-o", out)...)
}
