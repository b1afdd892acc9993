package main

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"

	"github.com/migrated/migrated/toolchain"
)

// sizes reports the size of images, and of their code beside that of the same program without
// the passes that let it migrate.
func sizes(ctx context.Context, b *bench) error {
	programs := []*program{b.hello()}
	for _, name := range kernels {
		programs = append(programs, b.kernel(name))
	}
	if b.wants("size lua") || b.wants("code lua") {
		lua, err := b.lua(ctx)
		if err != nil {
			return err
		}
		programs = append(programs, lua)
	}
	for _, p := range programs {
		if !b.wants("size "+p.name) && !b.wants("code "+p.name) {
			continue
		}
		if err := b.size(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) size(ctx context.Context, p *program) error {
	dir := filepath.Join(b.dir, p.name+".emit")
	o := b.options(p)
	o.Emit, o.EmitDir = []string{"obj", "bare"}, dir
	if err := toolchain.Build(ctx, o); err != nil {
		return err
	}
	info, err := os.Stat(o.Output)
	if err != nil {
		return err
	}
	b.report.add("size "+p.name, float64(info.Size())/1024, "KiB", "image file, two builds")
	for _, level := range o.Builds {
		code, err := textSize(filepath.Join(dir, level+".o"))
		if err != nil {
			return err
		}
		bare, err := textSize(filepath.Join(dir, level+".bare.o"))
		if err != nil {
			return err
		}
		b.report.expect(fmt.Sprintf("code %s %s", p.name, level), float64(code)/float64(bare), "", 1.5,
			fmt.Sprintf("%d KiB with libc and kernel, %d KiB if it could not migrate", code>>10, bare>>10))
	}
	return nil
}

// textSize returns the bytes of all executable sections of an object.
func textSize(path string) (uint64, error) {
	f, err := elf.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var sum uint64
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 {
			sum += s.Size
		}
	}
	if sum == 0 {
		return 0, fmt.Errorf("%s has no code", path)
	}
	return sum, nil
}
