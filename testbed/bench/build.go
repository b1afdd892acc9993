package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// buildLevels are those that SQLite is built for: servers of today have one of these.
var buildLevels = []string{"x86-64-v3", "x86-64-v4", "armv8-a"}

// Expectations of building SQLite's shell on two cores.
const (
	buildLimit   = 3 * time.Minute
	rebuildLimit = 2 * time.Second
)

// building measures how long migratecc takes for SQLite's shell, the largest of the programs here: with
// nothing remembered, and when nothing has changed since.
func building(ctx context.Context, b *bench) error {
	if !b.wants("build sqlite3") && !b.wants("build sqlite3 again") {
		return nil
	}
	dir, err := b.amalgamation(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	builds := fmt.Sprintf("%d builds: %s", len(buildLevels), strings.Join(buildLevels, ", "))
	for _, row := range []struct {
		name string
		most time.Duration
	}{{"build sqlite3", buildLimit}, {"build sqlite3 again", rebuildLimit}} {
		logf("%s", row.name)
		cmd := exec.CommandContext(ctx, filepath.Join(b.root, "build/bin/migratecc"), "-O2", "-w",
			"--builds="+strings.Join(buildLevels, ","), "-I"+dir,
			"-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION",
			filepath.Join(dir, "shell.c"), filepath.Join(dir, "sqlite3.c"), "-o", filepath.Join(work, "sqlite3.img"))
		cmd.Env = append(os.Environ(), "MIGRATED_CACHE="+filepath.Join(work, "cache"))
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("build SQLite: %w\n%s", err, said.Bytes()))
		}
		took, used := time.Since(start), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
		b.report.expect(row.name, took.Seconds(), "s", row.most.Seconds(),
			fmt.Sprintf("%s s of CPU time; %s", number(used.Seconds()), builds))
	}
	return nil
}
