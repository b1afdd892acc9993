package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/migrated/migrated/toolchain"
)

// machine is what configure scripts are told that programs run on: a name that config.sub
// knows, that no machine has, and that no program has assembly for. A program for le64 is
// cross-compiled wherever it is compiled.
const machine = "le64-unknown-linux-musl"

var clangTarget = regexp.MustCompile(`(?m)^Target: .*$`)

// query answers an option that only asks.
func (d *driver) query(ctx context.Context) error {
	switch d.inv.query {
	case "--version":
		return d.version(ctx, d.stdout)
	case "-dumpmachine", "-print-target-triple", "--print-target-triple", "-print-effective-triple", "--print-effective-triple":
		_, err := fmt.Fprintln(d.stdout, machine)
		return err
	case "-print-sysroot", "--print-sysroot":
		_, err := fmt.Fprintln(d.stdout, d.tc.Sysroot)
		return err
	case "-print-multiarch", "--print-multiarch":
		_, err := fmt.Fprintln(d.stdout)
		return err
	case "--print-cmake-toolchain":
		return d.cmakeToolchain()
	case "--print-config-site":
		return d.configSite()
	case "-print-supported-cpus", "--print-supported-cpus", "-print-targets", "--print-targets":
		_, err := fmt.Fprintln(d.stdout, strings.Join(toolchain.DefaultBuilds, "\n"))
		return err
	case "-Wl,--version":
		return d.tc.LinkerVersion(ctx, d.stdout)
	}
	return d.tc.FrontEnd(ctx, d.stdout, d.inv.query)
}

// cmakeToolchain prints a toolchain file for CMake, which would else take an ar and a ranlib
// of whatever LLVM it finds.
func (d *driver) cmakeToolchain() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	_, err = fmt.Fprintf(d.stdout, `# For cmake -DCMAKE_TOOLCHAIN_FILE=...
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR le64)
set(CMAKE_C_COMPILER %s)
set(CMAKE_AR llvm-ar-19)
set(CMAKE_RANLIB llvm-ranlib-19)
set(CMAKE_NM llvm-nm-19)
set(CMAKE_FIND_ROOT_PATH %s)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
`, self, d.tc.Sysroot)
	return err
}

// version prints this program's name and clang's version, which scripts look for.
func (d *driver) version(ctx context.Context, w io.Writer) error {
	if _, err := fmt.Fprintf(w, "migratecc, which compiles with\n"); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := d.tc.FrontEnd(ctx, &text, "--version"); err != nil {
		return err
	}
	// Some ask here, and not with -dumpmachine.
	_, err := w.Write(clangTarget.ReplaceAll(text.Bytes(), []byte("Target: "+machine)))
	return err
}
