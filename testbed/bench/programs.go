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
var kernels = []string{"ep", "cg", "is", "mg"}

func (b *bench) kernel(name string) *program {
	dir := filepath.Join(b.root, "examples/npb")
	return &program{
		name:    name,
		sources: []string{filepath.Join(dir, name+".c"), filepath.Join(dir, "common/npb.c")},
		flags:   []string{"-std=gnu11"},
	}
}

// A script is a Lua program of examples/lua and an argument with which it takes a second or two.
type script struct{ name, arg string }

var scripts = []script{{"fannkuch", "10"}, {"nqueens", "12"}, {"strings", "100"}}

func (b *bench) script(s script) (string, error) {
	path := filepath.Join(b.root, "examples/lua", s.name+".lua")
	_, err := os.Stat(path)
	return path, err
}

// lua is the interpreter, from Debian's source package.
func (b *bench) lua(ctx context.Context) (*program, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.root, "scripts/fetch-debian"), "upstream", "lua5.4")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("fetch the source of Lua: %w\n%s", err, out)
	}
	sources, err := filepath.Glob(filepath.Join(b.root, "build/upstream/lua5.4/src/*.c"))
	if err != nil {
		return nil, err
	}
	sources = slices.DeleteFunc(sources, func(path string) bool { return filepath.Base(path) == "luac.c" })
	return &program{
		name:    "lua",
		sources: sources,
		// As its makefile has them for "posix".
		flags: []string{"-std=gnu99", "-DLUA_COMPAT_5_3", "-DLUA_USE_POSIX"},
		musl:  true,
	}, nil
}

// local is a program of testdata.
func (b *bench) local(name string) *program {
	return &program{name: name, sources: []string{filepath.Join(b.root, "testbed/bench/testdata", name+".c")}}
}

func (b *bench) hello() *program {
	return &program{name: "hello", sources: []string{filepath.Join(b.root, "examples/hello/hello.c")}}
}
