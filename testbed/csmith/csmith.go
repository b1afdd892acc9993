// Package csmith makes random C programs with Debian's csmith, many in one image, for tests
// that compare what they print plain, moved and as processes of this machine. The programs
// have no undefined behaviour, so that all of them must agree.
package csmith

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/toolchain"
)

// include is where Debian's libcsmith-dev has the headers that the programs use.
const include = "/usr/include/csmith"

// options keep programs small: what matters is how many there are.
var options = []string{"--concise", "--max-funcs", "6", "--max-block-depth", "4"}

// A Program is one random program.
type Program struct {
	Seed   uint64 // csmith's
	Text   []byte // C
	Output []byte // what it prints as a process of this machine

	source string // path; main is called entry in it
}

// entry is the name that main has, so that many programs go into one image.
func entry(seed uint64) string { return fmt.Sprintf("program_%d", seed) }

// ErrEndless is of a program that may never end: csmith makes some.
var ErrEndless = errors.New("the program does not end in a second of CPU time")

// New makes the program of a seed in a directory, and runs it as a process.
func New(ctx context.Context, dir string, seed uint64) (*Program, error) {
	cmd := exec.CommandContext(ctx, "csmith", append([]string{"--seed", strconv.FormatUint(seed, 10)}, options...)...)
	cmd.Dir = dir // it leaves a file where it runs
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run csmith with seed %d (scripts/setup installs it): %w", seed, err)
	}
	return Of(ctx, dir, seed, text)
}

// Of takes the text of a program, whatever has made it, for that of a seed.
func Of(ctx context.Context, dir string, seed uint64, text []byte) (*Program, error) {
	p := &Program{Seed: seed, Text: text, source: filepath.Join(dir, entry(seed)+".c")}
	if err := os.WriteFile(p.source, fmt.Appendf(nil, "#define main %s\n%s", entry(seed), text), 0o644); err != nil {
		return nil, fmt.Errorf("write a program: %w", err)
	}
	var err error
	if p.Output, err = p.process(ctx); err != nil {
		return nil, fmt.Errorf("csmith's program of seed %d: %w", seed, err)
	}
	return p, nil
}

// process compiles the program with the system's compiler, which optimises as little as it
// can, and runs it. Argument 1 has it print the checksum of each variable.
func (p *Program) process(ctx context.Context) ([]byte, error) {
	exe := strings.TrimSuffix(p.source, ".c")
	defer os.Remove(exe)
	cc := exec.CommandContext(ctx, "cc", "-O0", "-w", "-I"+include, "-D"+entry(p.Seed)+"=main", "-o", exe, p.source)
	if out, err := cc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile for this machine: %w\n%s", err, out)
	}
	// Time of the CPU, not of the wall: how busy the machine is does not matter.
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -t 1 && exec "$0" 1`, exe)
	out, err := cmd.Output()
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() && (s.Signal() == syscall.SIGXCPU || s.Signal() == syscall.SIGKILL) {
		return nil, ErrEndless
	}
	if err != nil {
		return nil, fmt.Errorf("run as a process: %w", err)
	}
	return out, nil
}

// Args are the arguments with which the image of many programs is this one.
func (p *Program) Args() []string { return []string{"csmith", strconv.FormatUint(p.Seed, 10), "1"} }

// Image builds one image of many programs, with a build for each level; none stand for all.
func Image(ctx context.Context, dir string, programs []*Program, builds []string) (*image.Image, error) {
	var main, table bytes.Buffer
	main.WriteString("#include <stdlib.h>\n")
	sources := []string{filepath.Join(dir, "main.c")}
	for _, p := range programs {
		fmt.Fprintf(&main, "int %s(int, char **);\n", entry(p.Seed))
		fmt.Fprintf(&table, "\tcase %d: return %s(argc - 1, argv + 1);\n", p.Seed, entry(p.Seed))
		sources = append(sources, p.source)
	}
	fmt.Fprintf(&main, "int main(int argc, char **argv)\n{\n\tswitch (strtoull(argv[1], NULL, 10)) {\n%s\t}\n\treturn 125;\n}\n", table.Bytes())
	if err := os.WriteFile(sources[0], main.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("write the programs' main function: %w", err)
	}
	path := filepath.Join(dir, "csmith.img")
	err := toolchain.Build(ctx, toolchain.Options{
		Sources: sources,
		CFlags:  []string{"-O2", "-w", "-I" + include},
		Output:  path,
		Builds:  builds,
	})
	if err != nil {
		return nil, err
	}
	return image.Open(path)
}
