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

// Include is where Debian's libcsmith-dev has the headers that the programs use.
const Include = "/usr/include/csmith"

// options keep programs small: what matters is how many there are.
var options = []string{"--concise", "--max-funcs", "6", "--max-block-depth", "4"}

// A Batch is a number of programs in one executable. Its first argument chooses one; the
// other is the program's own: 1 has it print the checksum of each variable.
type Batch struct {
	Seeds   []uint64 // csmith's, by the number of the program
	sources []string
	dir     string
}

// Command is what makes the n-th program by itself.
func (b *Batch) Command(n int) string {
	return fmt.Sprintf("csmith --seed %d %s", b.Seeds[n], strings.Join(options, " "))
}

// Args are the arguments that choose the n-th program.
func Args(n int) []string { return []string{"csmith", strconv.Itoa(n), "1"} }

// Generate writes the programs of count seeds, first and following ones, below dir.
func Generate(ctx context.Context, dir string, first uint64, count int) (*Batch, error) {
	b := &Batch{dir: dir}
	var main bytes.Buffer
	main.WriteString("#include <stdlib.h>\n")
	for n := range count {
		seed := first + uint64(n)
		text, err := generate(ctx, dir, seed)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("program_%d", n)
		path := filepath.Join(dir, name+".c")
		if err := os.WriteFile(path, fmt.Appendf(nil, "#define main %s\n%s", name, text), 0o644); err != nil {
			return nil, fmt.Errorf("write a program: %w", err)
		}
		b.Seeds = append(b.Seeds, seed)
		b.sources = append(b.sources, path)
		fmt.Fprintf(&main, "int %s(int, char **);\n", name)
	}
	main.WriteString("static int (*const programs[])(int, char **) = {\n")
	for n := range count {
		fmt.Fprintf(&main, "\tprogram_%d,\n", n)
	}
	main.WriteString("};\nint main(int argc, char **argv) { return programs[atoi(argv[1])](argc - 1, argv + 1); }\n")
	path := filepath.Join(dir, "main.c")
	if err := os.WriteFile(path, main.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("write the programs' main function: %w", err)
	}
	b.sources = append(b.sources, path)
	return b, nil
}

// generate runs csmith, which leaves a file in the directory where it is.
func generate(ctx context.Context, dir string, seed uint64) ([]byte, error) {
	args := append([]string{"--seed", strconv.FormatUint(seed, 10)}, options...)
	cmd := exec.CommandContext(ctx, "csmith", args...)
	cmd.Dir = dir
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run csmith with seed %d (scripts/setup installs it): %w", seed, err)
	}
	return text, nil
}

// Image builds the programs with migratecc.
func (b *Batch) Image(ctx context.Context, builds ...string) (*image.Image, error) {
	path := filepath.Join(b.dir, "csmith.img")
	err := toolchain.Build(ctx, toolchain.Options{
		Sources: b.sources,
		CFlags:  []string{"-O2", "-w", "-I" + Include},
		Output:  path,
		Builds:  builds,
	})
	if err != nil {
		return nil, err
	}
	return image.Open(path)
}

// A Native is the programs as an executable of this machine.
type Native struct{ path string }

// Native builds the programs with the system's compiler, which optimises as little as it can.
func (b *Batch) Native(ctx context.Context) (*Native, error) {
	n := &Native{filepath.Join(b.dir, "native")}
	args := append([]string{"-O0", "-w", "-I" + Include, "-o", n.path}, b.sources...)
	if out, err := exec.CommandContext(ctx, "cc", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile for this machine: %w\n%s", err, out)
	}
	return n, nil
}

// ErrEndless is of a program that may never end: csmith makes some.
var ErrEndless = errors.New("the program does not end in a second of CPU time")

// Run returns what the n-th program prints.
func (e *Native) Run(ctx context.Context, n int) ([]byte, error) {
	// Time of the CPU, not of the wall: how busy the machine is does not matter.
	args := append([]string{"-c", `ulimit -t 1 && exec "$@"`, "sh", e.path}, Args(n)[1:]...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	out, err := cmd.Output()
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() && (s.Signal() == syscall.SIGXCPU || s.Signal() == syscall.SIGKILL) {
		return nil, ErrEndless
	}
	if err != nil {
		return nil, fmt.Errorf("run as a process: %w", err)
	}
	return out, nil
}
