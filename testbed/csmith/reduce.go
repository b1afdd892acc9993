package csmith

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Reduce leaves out lines of a failing program for as long as it goes on failing, and returns
// the shortest that it found. What it tries in between is left out if it does not compile, if
// the system's compiler warns that it reads what was never written, if it runs into undefined
// behaviour, or if that compiler's optimiser changes what it prints.
func (p *Program) Reduce(ctx context.Context, dir string, builds []string) []byte {
	return shorten(p.Text, func(text []byte) bool {
		return ctx.Err() == nil && stillFails(ctx, dir, p.Seed, text, builds)
	})
}

func stillFails(ctx context.Context, dir string, seed uint64, text []byte, builds []string) bool {
	p, err := Of(ctx, dir, seed, text)
	if err != nil || !p.isDefined(ctx) {
		return false
	}
	m, err := Image(ctx, dir, []*Program{p}, builds)
	if err != nil {
		return false
	}
	_, err = p.Compare(ctx, m)
	return err != nil && !errors.Is(err, context.Canceled)
}

// isDefined says whether the program's output is what C says and no accident.
func (p *Program) isDefined(ctx context.Context) bool {
	exe := filepath.Join(filepath.Dir(p.source), "checked")
	defer os.Remove(exe)
	cc := exec.CommandContext(ctx, "cc", "-O2", "-Werror=uninitialized", "-Werror=return-type",
		"-Werror=implicit-function-declaration", "-fsanitize=undefined,address", "-fno-sanitize-recover=all",
		"-I"+include, "-D"+entry(p.Seed)+"=main", "-o", exe, p.source)
	if cc.Run() != nil {
		return false
	}
	out, err := exec.CommandContext(ctx, "sh", "-c", `ulimit -t 5 && exec "$0" 1`, exe).Output()
	return err == nil && bytes.Equal(out, p.Output)
}

// shorten leaves out runs of lines, ever shorter ones, while what is left holds.
func shorten(text []byte, holds func([]byte) bool) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for n := len(lines) / 2; n > 0; {
		shorter := false
		for at := 0; at < len(lines); {
			rest := append(append([][]byte{}, lines[:at]...), lines[min(at+n, len(lines)):]...)
			if holds(bytes.Join(rest, nil)) {
				lines, shorter = rest, true
			} else {
				at += n
			}
		}
		// What was left out may have been all that kept other lines.
		if n > 1 || !shorter {
			n /= 2
		}
	}
	return bytes.Join(lines, nil)
}

// Keep writes a failing program and how it fails into a directory of its own below dir, which
// it returns.
func (p *Program) Keep(dir string, failure error) (string, error) {
	dir = filepath.Join(dir, fmt.Sprint(p.Seed))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keep a failing program: %w", err)
	}
	for name, text := range map[string][]byte{"program.c": p.Text, "failure": fmt.Appendln(nil, failure), "output": p.Output} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", fmt.Errorf("keep a failing program: %w", err)
		}
	}
	return dir, nil
}
