package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// neutral is the target that C is compiled for, and unitMark what migrated-check leaves in
// every object that it has seen (UnitMark in compiler/check.h).
const (
	neutral  = "riscv64-unknown-linux-musl"
	unitMark = "migrated unit 1"
)

// A Compilation is one run of the compiler on one source file.
type Compilation struct {
	Args   []string // clang's options, the user's
	Source string   // "-": standard input
	Output string   // object, bitcode; or IR as text with Text
	System bool     // libc or kernel: migrated-check -migrated-system
	Text   bool     // -S
}

// FrontEnd runs clang alone, on C for the neutral target.
func (t *Toolchain) FrontEnd(ctx context.Context, stdout io.Writer, args ...string) error {
	return t.runTo(ctx, stdout, clang, append(t.frontEndArgs(), args...)...)
}

// LinkerVersion prints the linker's version.
func (t *Toolchain) LinkerVersion(ctx context.Context, stdout io.Writer) error {
	return t.runTo(ctx, stdout, lld, "--version")
}

// frontEndArgs returns the options of every run of clang on C source, to stand before the
// user's.
func (t *Toolchain) frontEndArgs() []string {
	args := []string{
		"--target=" + neutral, "-march=rv64gc", "-mabi=lp64d", "--sysroot=" + t.Sysroot, "-D__migrated__=1",
		// On x86-64 char has a sign, on aarch64 it has none. Programs that cannot do without are
		// more than those that cannot do with it.
		"-fsigned-char",
		// In front of clang's own headers of intrinsics. What each of these includes is not there,
		// which is a fatal error, the only kind that ends a compilation: one line in place of one for
		// each name that clang's header declares.
		"-isystem", filepath.Join(t.Sysroot, "refused"),
	}
	// The neutral target lends its data types, not its name: no program shall take a path of
	// its own for it.
	for _, m := range neutralMacros {
		args = append(args, "-U__riscv"+m)
	}
	return args
}

// neutralMacros are the ends of what clang defines for the neutral target.
var neutralMacros = append([]string{""}, strings.Fields(`_a _arch_test _atomic _c _cmodel_medlow _compressed
	_d _div _f _fdiv _flen _float_abi_double _fsqrt _i _m _misaligned_avoid _mul _muldiv _xlen
	_zicsr _zifencei _zmmul`)...)

// codeArgs make clang emit neutral IR. They stand behind the user's options.
func (c *Compilation) codeArgs() []string {
	return []string{
		"-emit-llvm", "-Xclang", "-disable-llvm-passes", "-Xclang", "-ffp-contract=" + c.contract(),
		"-fno-pic", "-fno-pie", "-ftls-model=local-exec", "-fno-stack-protector",
		// Line tables always: backtraces need them, and so do errors that whole-program passes
		// find. No more of it, whatever the user's -g says: where a variable is cannot be told
		// once its frame has been left, and to follow all of them takes longer than the rest.
		"-gline-tables-only",
	}
}

// contract returns what clang is to do with a*b+c: mark it, for the link to decide (fp.go), or
// leave it be. libc's functions are to give one result in all images.
func (c *Compilation) contract() string {
	mode := "on"
	for _, word := range c.Args {
		if user, ok := strings.CutPrefix(word, "-ffp-contract="); ok {
			mode = user
		}
	}
	if c.System || mode == "off" {
		return "off"
	}
	return "on"
}

// Compile compiles one source file to an object, or finds what it was compiled to before.
func (t *Toolchain) Compile(ctx context.Context, c *Compilation) error {
	dir, err := os.MkdirTemp("", "migratecc-*")
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	defer os.RemoveAll(dir)
	object := filepath.Join(dir, "object")
	if key := t.compileKey(ctx, c); key != nil {
		object, err = t.compileOnce(ctx, c, key, dir)
	} else {
		err = t.compile(ctx, c, object)
	}
	if err != nil {
		return err
	}
	if err := copyOut(object, c.Output); err != nil {
		return fmt.Errorf("write %s: %w", c.Output, err)
	}
	return nil
}

// compile runs the compiler.
func (t *Toolchain) compile(ctx context.Context, c *Compilation, object string) error {
	bitcode := object + ".neutral"
	defer os.Remove(bitcode)
	args := append(t.frontEndArgs(), c.Args...)
	args = append(args, c.codeArgs()...)
	args = append(args, "-c", c.Source, "-o", bitcode)
	var said bytes.Buffer
	front := *t
	front.Stderr = io.MultiWriter(t.Stderr, &said)
	if err := front.run(ctx, clang, args...); err != nil {
		hint(t.Stderr, said.String())
		return err
	}
	args = []string{"-load-pass-plugin=" + t.Plugin, "-passes=migrated-check", bitcode, "-o", object}
	if c.System {
		args = append(args, "-migrated-system")
	}
	if c.Text {
		args = append(args, "-S")
	}
	return t.run(ctx, opt, args...)
}

// copyOut writes a finished file to where the user wants it: "-" is standard output. A
// regular file is replaced whole; what else is there (/dev/null) is written to.
func copyOut(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if to == "-" {
		_, err = io.Copy(os.Stdout, in)
		return err
	}
	if info, err := os.Lstat(to); err == nil && info.Mode().IsRegular() {
		if err := os.Remove(to); err != nil {
			return err
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		if info, serr := os.Lstat(to); serr == nil && info.Mode().IsRegular() {
			os.Remove(to) // half a file is worse than none
		}
	}
	return err
}
