// Migratecc is a C compiler and linker driver with the command line of clang and gcc: its
// objects are bitcode, and what it links is an image that migrates.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/migrated/migrated/toolchain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program; it returns the exit status, which is clang's where clang has
// failed, and else 1 for any error.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := drive(ctx, args, stdout, stderr)
	var failed *toolchain.CommandError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return 130 // 128 + SIGINT, as a shell says it
	case errors.As(err, &failed):
		// The program has said what is wrong.
		return max(failed.Code, 1)
	}
	// A message of several lines brings "error: " along for each that needs it.
	text := strings.ReplaceAll(err.Error(), "\nerror: ", "\nmigratecc: error: ")
	fmt.Fprintf(stderr, "migratecc: error: %s\n", text)
	return 1
}

func drive(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	args, err := expandResponseFiles(args)
	if err != nil {
		return err
	}
	inv, err := parse(args)
	if err != nil {
		return err
	}
	if inv.help {
		_, err := io.WriteString(stdout, help)
		return err
	}
	tc, err := toolchain.Find()
	if err != nil {
		return err
	}
	tc.Stderr = stderr
	tc.Verbose = inv.verbose
	d := &driver{tc: tc, inv: inv, stdout: stdout, stderr: stderr}
	if inv.query != "" {
		return d.query(ctx)
	}
	if len(inv.inputs) == 0 {
		if inv.verbose {
			return d.version(ctx, stderr)
		}
		return errors.New("no input files")
	}
	return d.work(ctx)
}

const help = `Usage: migratecc [options] file...

Compiles C and links images that migrate between machines of different instruction sets.
Options are clang's. Objects are bitcode; an image has one build for each kind of machine.

  -c                  Compile, do not link
  -S                  Compile to LLVM IR as text
  -E                  Preprocess
  -o FILE             Where to write the result (a.out)
  --builds=A,B        What to build an image for: x86-64-v2, x86-64-v3, x86-64-v4, armv8-a,
                      armv8.2-a (all; $MIGRATED_BUILDS). none: only see whether it links
  --fp=fused|separate Round a*b+c once, or the product too, in all builds alike (fused if each
                      build has an instruction for it: all but x86-64-v2 have)
  --emit=A,B          Keep intermediate results of a link: ir, sites, obj, layout, elf
  --emit-dir=DIR      Where to keep them (the image's name with .emit)
  --poll-gap          Have the program measure the time between its migration points, slowly
  -dumpmachine        Print the machine that configure scripts are to take for the host:
                      configure --host=$(migratecc -dumpmachine) CC=migratecc
  --print-cmake-toolchain
                      Print a file for cmake -DCMAKE_TOOLCHAIN_FILE=
  --print-config-site Print a file for CONFIG_SITE=... ./configure: what it cannot find out by running
  -v                  Print commands as they run
  --version           Print the version

Archives are made with any ar; of binutils, llvm-ar-19 is the one that does not complain.
$MIGRATED_SYSROOT names another sysroot, $MIGRATED_CACHE another cache (off: none).
`
