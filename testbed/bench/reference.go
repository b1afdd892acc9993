package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// A reference is a compiler that builds programs as processes, with all that it can: for this
// machine's processor, and whole programs at once. The C library is musl, as in images, so that it
// is not libraries that are compared; but musl for x86-64 has functions in assembly, as images
// have not.
type reference struct {
	name    string
	cc      string
	ar      string
	ranlib  string
	link    []string // options of the linker
	library []string // options for musl
}

var (
	clang = &reference{
		name: "clang", cc: "clang-19", ar: "llvm-ar-19", ranlib: "llvm-ranlib-19",
		link: []string{"-fuse-ld=lld-19"}, library: []string{"-flto"},
	}
	gcc = &reference{
		name: "gcc", cc: "gcc", ar: "gcc-ar", ranlib: "gcc-ranlib",
		// Its libc.a is not a part of the whole program: crt1.o is assembly within C, whose
		// references gcc does not see.
		link: []string{"-flto=" + strconv.Itoa(runtime.NumCPU())},
	}
)

// best are the options that matter for speed. Multiplication and addition are fused where the
// image's are.
func (b *bench) best() []string {
	contract := "-ffp-contract=off"
	if b.level.FMA {
		contract = "-ffp-contract=on"
	}
	return []string{"-O3", "-march=native", contract}
}

// build builds a program, and returns its path.
func (r *reference) build(ctx context.Context, b *bench, p *program) (string, error) {
	libc, err := r.musl(ctx, b)
	if err != nil {
		return "", err
	}
	out := filepath.Join(b.dir, p.name+"."+r.name)
	lib := func(name string) string { return filepath.Join(libc, "lib", name) }
	args := append([]string{"-o", out}, b.best()...)
	args = append(args, "-flto", "-w", "-static", "-no-pie", "-fno-pie", "-nostdlib", "-nostdinc",
		"-isystem", filepath.Join(libc, "include"))
	args = append(args, r.link...)
	args = append(args, p.flags...)
	args = append(args, lib("crt1.o"), lib("crti.o"))
	args = append(args, p.sources...)
	args = append(args, lib("libc.a"), "-lgcc", lib("crtn.o"))
	cmd := exec.CommandContext(ctx, r.cc, args...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s with %s: %w\n%s", p.name, r.cc, err, text)
	}
	return out, nil
}

// musl builds the C library once, from the source that images have theirs from.
func (r *reference) musl(ctx context.Context, b *bench) (string, error) {
	dir := filepath.Join(b.dir, "musl-"+r.name)
	if _, err := os.Stat(filepath.Join(dir, "lib/libc.a")); err == nil {
		return dir, nil
	}
	source, err := b.fetch(ctx, "musl")
	if err != nil {
		return "", err
	}
	logf("building musl with %s", r.cc)
	work, err := os.MkdirTemp("", "bench-musl-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	flags := strings.Join(append(append([]string{"-fno-rounding-math"}, b.best()...), r.library...), " ")
	configure := exec.CommandContext(ctx, filepath.Join(source, "configure"),
		"--disable-shared", "--enable-optimize=no", "--prefix="+dir)
	configure.Env = append(os.Environ(), "CC="+r.cc, "AR="+r.ar, "RANLIB="+r.ranlib, "CFLAGS="+flags)
	install := exec.CommandContext(ctx, "make", "-j"+strconv.Itoa(runtime.NumCPU()), "install")
	for _, cmd := range []*exec.Cmd{configure, install} {
		cmd.Dir = work
		if text, err := cmd.CombinedOutput(); err != nil {
			os.RemoveAll(dir)
			return "", fmt.Errorf("build musl with %s: %w\n%s", r.cc, err, text)
		}
	}
	return dir, nil
}
