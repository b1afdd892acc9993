package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"migratecc": main,
		"guest":     func() { os.Exit(guest(os.Args[1:])) },
	})
}

// guest runs an image of this host's most modest level in a tender, as a program.
func guest(args []string) int {
	m, err := image.Open(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	host := isa.ByOCI(runtime.GOARCH)
	b, err := m.Build(host.Name, []string{host.Levels[0].Name, host.Levels[1].Name})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	g, err := vmm.New(vmm.Config{
		Spec:    vmm.Spec{Image: m.Config(), Build: b, Memory: 64 << 20},
		Args:    args,
		Machine: tender.New,
		Output: func(s vmm.Stream, p []byte) {
			w := os.Stdout
			if s == vmm.Stderr {
				w = os.Stderr
			}
			w.Write(p)
		},
	})
	if err == nil {
		err = g.Start(nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	<-g.Done()
	return g.Exit().Code
}

func TestScripts(t *testing.T) {
	build, err := filepath.Abs("../../build")
	if err != nil {
		t.Fatal(err)
	}
	sysroot := filepath.Join(build, "sysroot")
	for _, part := range []string{filepath.Join(sysroot, "lib", "libc.a"), filepath.Join(build, "lib", "migrated-passes.so")} {
		if _, err := os.Stat(part); err != nil {
			t.Fatalf("%v; run make sysroot first", err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MIGRATED_SYSROOT", sysroot)
			// Shared by the scripts and by later runs: what is equal is compiled once.
			env.Setenv("MIGRATED_CACHE", filepath.Join(build, "cache"))
			env.Setenv("MIGRATED_BUILDS", "x86-64-v3")
			return nil
		},
	})
}

func TestInterruptedRunEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code := run(ctx, []string{"-x", "c", "-c", "/dev/null", "-o", "/dev/null"}, os.Stdout, os.Stderr); code != 130 {
		t.Errorf("a cancelled run ends with %d", code)
	}
}
