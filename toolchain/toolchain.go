// Package toolchain turns C sources, bitcode objects and archives into images: it drives
// clang, the pass plugin, lld, the layout planner and its verifier.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// LLVM's programs, of the one version whose IR the plugin reads.
const (
	clang = "clang-19"
	opt   = "opt-19"
	lld   = "ld.lld-19"
	nm    = "llvm-nm-19"
)

// A Toolchain is where the parts of the compiler are.
type Toolchain struct {
	Sysroot string    // headers, libc, kernel, native objects: docs/runtime-abi.md, "Linking"
	Plugin  string    // migrated-passes.so
	Cache   *Cache    // nil: nothing is remembered
	Stderr  io.Writer // diagnostics
	Verbose bool      // print each command before it runs
}

// Find returns the toolchain that belongs to this program: that of $MIGRATED_SYSROOT, or of
// the build directory that the program lies in (build/bin), or of the source tree around the
// working directory.
func Find() (*Toolchain, error) {
	var build []string // directories that may hold sysroot/ and lib/
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			build = append(build, filepath.Dir(filepath.Dir(exe)))
		}
	}
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			if isFile(filepath.Join(dir, "go.mod")) {
				build = append(build, filepath.Join(dir, "build"))
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	cache, err := OpenCache()
	if err != nil {
		return nil, err
	}
	t := &Toolchain{Cache: cache, Stderr: os.Stderr}
	if dir := os.Getenv("MIGRATED_SYSROOT"); dir != "" {
		t.Sysroot = dir
		build = append([]string{filepath.Dir(dir)}, build...)
	}
	for _, dir := range build {
		if t.Sysroot == "" && isDir(filepath.Join(dir, "sysroot")) {
			t.Sysroot = filepath.Join(dir, "sysroot")
		}
		if plugin := filepath.Join(dir, "lib", "migrated-passes.so"); t.Plugin == "" && isFile(plugin) {
			t.Plugin = plugin
		}
	}
	if t.Sysroot == "" {
		return nil, errors.New("no sysroot found; run make in migrated's source tree, or set MIGRATED_SYSROOT")
	}
	if t.Plugin == "" {
		return nil, fmt.Errorf("no lib/migrated-passes.so beside %s; run make in migrated's source tree", t.Sysroot)
	}
	return t, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A CommandError is a program that ended with a non-zero status. What it had to say has gone
// to Stderr already.
type CommandError struct {
	Program string
	Code    int
	Err     error
}

func (e *CommandError) Error() string { return fmt.Sprintf("%s failed: %v", e.Program, e.Err) }
func (e *CommandError) Unwrap() error { return e.Err }

// run runs a program with its diagnostics on Stderr.
func (t *Toolchain) run(ctx context.Context, program string, args ...string) error {
	return t.runTo(ctx, nil, program, args...)
}

// runTo is run with standard output to w, or to nowhere where w is nil.
func (t *Toolchain) runTo(ctx context.Context, w io.Writer, program string, args ...string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("%s is missing; scripts/setup of migrated's source tree installs it: %w", program, err)
	}
	if t.Verbose {
		fmt.Fprintf(t.Stderr, " %s %s\n", path, quoted(args))
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = os.Stdin
	cmd.Stdout = w
	cmd.Stderr = t.Stderr
	err = cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &CommandError{Program: program, Code: exit.ExitCode(), Err: err}
	}
	return fmt.Errorf("run %s: %w", program, err)
}

// quoted writes arguments as clang -v does.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \"'\\$&|;<>()*?") {
			words[i] = fmt.Sprintf("%q", a)
		}
	}
	return strings.Join(words, " ")
}
