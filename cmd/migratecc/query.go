package main

import (
	"context"
	"fmt"
	"io"
)

// machine is what configure scripts are told that programs run on: a name that config.sub
// knows, that no machine has, and that no program has assembly for. A program for le64 is
// cross-compiled wherever it is compiled.
const machine = "le64-unknown-linux-musl"

// query answers an option that only asks.
func (d *driver) query(ctx context.Context) error {
	switch d.inv.query {
	case "--version":
		return d.version(ctx, d.stdout)
	case "-dumpmachine", "-print-target-triple", "--print-target-triple":
		_, err := fmt.Fprintln(d.stdout, machine)
		return err
	case "-print-sysroot", "--print-sysroot":
		_, err := fmt.Fprintln(d.stdout, d.tc.Sysroot)
		return err
	case "-print-multiarch", "--print-multiarch":
		_, err := fmt.Fprintln(d.stdout)
		return err
	case "-Wl,--version":
		return d.tc.LinkerVersion(ctx, d.stdout)
	}
	return d.tc.FrontEnd(ctx, d.stdout, d.inv.query)
}

// version prints this program's name and clang's version, which scripts look for.
func (d *driver) version(ctx context.Context, w io.Writer) error {
	if _, err := fmt.Fprintf(w, "migratecc, which compiles with\n"); err != nil {
		return err
	}
	return d.tc.FrontEnd(ctx, w, "--version")
}
