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
	musl    bool     // link the process with Debian's musl, statically, not with the C library of the system
}

// commonFlags are those of all programs, in both kinds of builds.
var commonFlags = []string{"-O3", "-w"}

// A reference is a way to build the process.
type reference struct {
	name  string
	flags []string
	musl  bool // with musl, whatever the program says
}

var (
	// What a user would do on this machine.
	native = reference{name: "native", flags: []string{"-march=native"}}
	// With the same instructions and the same rounding as the image's build.
	alike = reference{name: "alike", flags: []string{"-march=x86-64-v3", "-ffp-contract=on"}}
	// With the C library that images have.
	withMusl = reference{name: "musl", flags: []string{"-march=native"}, musl: true}
)

// image builds the program's image.
func (b *bench) image(ctx context.Context, p *program) (*image.Image, error) {
	path := filepath.Join(b.dir, p.name+".img")
	logf("building %s", path)
	err := toolchain.Build(ctx, toolchain.Options{
		Sources: p.sources,
		CFlags:  append(append([]string{}, commonFlags...), p.flags...),
		Output:  path,
		Builds:  toolchain.OnePerISA,
	})
	if err != nil {
		return nil, err
	}
	return image.Open(path)
}

// process builds the program as one of this machine, and returns its path.
func (b *bench) process(ctx context.Context, p *program, ref reference) (string, error) {
	out := filepath.Join(b.dir, p.name+"."+ref.name)
	args := append(append([]string{"-o", out}, commonFlags...), p.flags...)
	args = append(args, ref.flags...)
	musl := p.musl || ref.musl
	if musl {
		args = append(args, muslFlags()...)
	}
	args = append(args, p.sources...)
	if musl {
		args = append(args, filepath.Join(muslLib, "libc.a"))
	} else {
		args = append(args, "-lm")
	}
	cmd := exec.CommandContext(ctx, "clang-19", args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s as a process: %w", p.name, err)
	}
	return out, nil
}

// Where Debian's package musl-dev has its files on amd64.
const (
	muslInclude = "/usr/include/x86_64-linux-musl"
	muslLib     = "/usr/lib/x86_64-linux-musl"
)

func muslFlags() []string {
	flags := []string{"-static", "-nostdlib", "-nostdlibinc", "-isystem", muslInclude, "-fno-pie", "-no-pie"}
	for _, object := range []string{"crt1.o", "crti.o", "crtn.o"} {
		flags = append(flags, filepath.Join(muslLib, object))
	}
	return flags
}

// makeDir makes a directory below the repository.
func makeDir(root, path string) (string, error) {
	dir := filepath.Join(root, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, nil
}
