package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/toolchain"
)

// A program is one that is built as an image and, of the same source, as a process.
type program struct {
	name    string
	sources []string
	flags   []string // of the compiler
}

// commonFlags are those of all images.
var commonFlags = []string{"-O3", "-w"}

// options are those to build the program's image: for the best that this machine's processor
// has, and for one other, so that it is one that can move.
func (b *bench) options(p *program) toolchain.Options {
	return toolchain.Options{
		Sources: p.sources,
		Builds:  []string{b.level.Name, "armv8-a"},
		CFlags:  append(append([]string{}, commonFlags...), p.flags...),
		Output:  filepath.Join(b.dir, p.name+".img"),
	}
}

// image builds the program's image.
func (b *bench) image(ctx context.Context, p *program) (*image.Image, error) {
	o := b.options(p)
	logf("building %s", o.Output)
	if err := toolchain.Build(ctx, o); err != nil {
		return nil, err
	}
	return image.Open(o.Output)
}

// fetch returns the directory of a Debian source package.
func (b *bench) fetch(ctx context.Context, name string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.root, "scripts/fetch-debian"), "upstream", name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch the source of %s: %w\n%s", name, err, out)
	}
	return filepath.Join(b.root, "build/upstream", name), nil
}

// makeDir makes a directory below the repository.
func makeDir(root, path string) (string, error) {
	dir := filepath.Join(root, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, nil
}
