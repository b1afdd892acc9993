package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
)

// An outcome is what came of the program, here and with Debian's Lua.
type outcome struct {
	want    string            // what lua5.4 prints
	printed map[string]string // what the program printed, by who says so
	record  *cluster.VM
}

// compare gets all that the program printed, and what Debian's Lua prints.
func (d *demo) compare(ctx context.Context) error {
	reference := append([]string{"lua5.4", script}, arguments...)
	d.command(reference...)
	begin := time.Now()
	want, err := exec.CommandContext(ctx, reference[0], reference[1:]...).Output()
	if err != nil {
		return fmt.Errorf("run Debian's lua5.4 (scripts/setup installs it): %w", err)
	}
	if len(want) == 0 {
		return fmt.Errorf("lua5.4 printed nothing to compare with")
	}
	d.note("  %d bytes, status 0, after %s", len(want), seconds(time.Since(begin)))
	d.command("migratectl", "logs", vm)
	logs, err := d.server.Ctl(ctx, "logs", vm)
	if err != nil {
		return err
	}
	d.note("  %d bytes", len(logs.Stdout))
	d.command("migratectl", "inspect", "-o", "json", vm)
	record, err := d.server.Inspect(ctx, vm)
	if err != nil {
		return err
	}
	if record.Exit != nil {
		d.note("  %s, status %d; moves: %d", record.State, record.Exit.Code, len(record.Moves))
	}
	d.outcome = outcome{string(want), map[string]string{
		"migratectl logs": logs.Stdout, "migratectl logs --follow": d.log.Stdout.String(),
	}, record}
	return nil
}

// verdict prints whether all is as it has to be, and what is not.
func (d *demo) verdict() error {
	var wrong []string
	for source, got := range d.printed {
		if got != d.want {
			wrong = append(wrong, fmt.Sprintf("%s and lua5.4 differ: %s", source, difference(got, d.want)))
		}
	}
	record := d.record
	if record.Exit == nil || record.Exit.Code != 0 {
		wrong = append(wrong, fmt.Sprintf("the program is %s, exit %+v; want status 0", record.State, record.Exit))
	}
	if len(record.Moves) != 2 || record.Moves[0].ToISA == record.Moves[0].FromISA {
		wrong = append(wrong, fmt.Sprintf("%d moves were made; want 2, between instruction sets", len(record.Moves)))
	}
	for _, w := range wrong {
		d.line("\nFAIL: %s", w)
	}
	if len(wrong) > 0 {
		return errDiffers
	}
	d.line("\nPASS: on two instruction sets the program printed, byte for byte, what lua5.4 prints on one.")
	return nil
}

// difference names the first line that differs.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return fmt.Sprintf("line %d is missing: %q", i+1, w[i])
		case i >= len(w):
			return fmt.Sprintf("line %d is too much: %q", i+1, g[i])
		case g[i] != w[i]:
			return fmt.Sprintf("line %d is %q and has to be %q", i+1, g[i], w[i])
		}
	}
	return "in nothing"
}

// fromHere is a path as seen from the working directory.
func fromHere(path string) (string, error) {
	here, err := filepath.Abs(".")
	if err != nil {
		return "", err
	}
	return filepath.Rel(here, path)
}
