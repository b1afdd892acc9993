package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// kernels are those of NPB, in examples/npb.
var kernels = []string{"ep", "cg", "is", "mg", "ft"}

func (b *bench) kernel(name string) *program {
	dir := filepath.Join(b.root, "examples/npb")
	return &program{
		name:    name,
		sources: []string{filepath.Join(dir, name+".c"), filepath.Join(dir, "common/npb.c")},
		flags:   []string{"-std=gnu11"},
	}
}

// local is a program of testdata.
func (b *bench) local(name string) *program {
	return &program{name: name, sources: []string{b.testdata(name + ".c")}}
}

func (b *bench) testdata(name string) string {
	return filepath.Join(b.root, "testbed/bench/testdata", name)
}

func (b *bench) hello() *program {
	return &program{name: "hello", sources: []string{filepath.Join(b.root, "examples/hello/hello.c")}}
}

// lua is the interpreter.
func (b *bench) lua(ctx context.Context) (*program, error) {
	dir, err := b.fetch(ctx, "lua5.4")
	if err != nil {
		return nil, err
	}
	sources, err := filepath.Glob(filepath.Join(dir, "src/*.c"))
	if err != nil {
		return nil, err
	}
	sources = slices.DeleteFunc(sources, func(path string) bool { return filepath.Base(path) == "luac.c" })
	return &program{
		name:    "lua",
		sources: sources,
		// As its makefile has them for "posix".
		flags: []string{"-std=gnu99", "-DLUA_COMPAT_5_3", "-DLUA_USE_POSIX"},
	}, nil
}

// mujs is an interpreter of JavaScript, as its makefile builds it: of one source file.
func (b *bench) mujs(ctx context.Context) (*program, error) {
	dir, err := b.fetch(ctx, "mujs")
	if err != nil {
		return nil, err
	}
	return &program{
		name:    "mujs",
		sources: []string{filepath.Join(dir, "main.c"), filepath.Join(dir, "one.c")},
		flags:   []string{"-I" + dir},
	}, nil
}

// bzip2 is its library and a driver.
func (b *bench) bzip2(ctx context.Context) (*program, error) {
	dir, err := b.fetch(ctx, "bzip2")
	if err != nil {
		return nil, err
	}
	p := b.local("bzip2")
	p.flags = []string{"-DBZ_NO_STDIO", "-I" + dir}
	for _, name := range []string{"blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib"} {
		p.sources = append(p.sources, filepath.Join(dir, name+".c"))
	}
	return p, nil
}

// zstd is its library and a driver. What it has in assembly, in intrinsic functions and in
// functions for one CPU is left out for all.
func (b *bench) zstd(ctx context.Context) (*program, error) {
	dir, err := b.fetch(ctx, "libzstd")
	if err != nil {
		return nil, err
	}
	p := b.local("zstd")
	p.flags = []string{"-DZSTD_DISABLE_ASM", "-DZSTD_NO_INTRINSICS", "-DDYNAMIC_BMI2=0", "-I" + filepath.Join(dir, "lib")}
	for _, part := range []string{"common", "compress", "decompress"} {
		sources, err := filepath.Glob(filepath.Join(dir, "lib", part, "*.c"))
		if err != nil {
			return nil, err
		}
		p.sources = append(p.sources, sources...)
	}
	return p, nil
}

// sqlite is its library, in one file, and a driver.
func (b *bench) sqlite(ctx context.Context) (*program, error) {
	dir, err := b.amalgamation(ctx)
	if err != nil {
		return nil, err
	}
	p := b.local("sqlite")
	p.sources = append(p.sources, filepath.Join(dir, "sqlite3.c"))
	p.flags = []string{"-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-I" + dir}
	return p, nil
}

// amalgamation makes SQLite's one source file with its own makefile, and returns its directory.
func (b *bench) amalgamation(ctx context.Context) (string, error) {
	dir := filepath.Join(b.dir, "sqlite")
	if _, err := os.Stat(filepath.Join(dir, "sqlite3.c")); err == nil {
		return dir, nil
	}
	source, err := b.fetch(ctx, "sqlite3")
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(b.dir, "sqlite-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	cmd := exec.CommandContext(ctx, "make", "-f", filepath.Join(source, "main.mk"), "TOP="+source,
		"BCC=gcc", "TCC=gcc", "NAWK=awk", "sqlite3.c")
	cmd.Dir = work
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make the source of SQLite: %w\n%s", err, text)
	}
	return dir, os.Rename(work, dir)
}
