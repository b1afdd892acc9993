package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/migrated/migrated/toolchain"
)

// A driver carries out an invocation.
type driver struct {
	tc     *toolchain.Toolchain
	inv    *invocation
	stdout io.Writer
	stderr io.Writer
}

func (d *driver) work(ctx context.Context) error {
	switch {
	case d.inv.dryRun:
		return d.clangAlone(ctx, d.paths()...)
	case d.inv.mode == modePreprocess, d.inv.mode == modeSyntax:
		return d.clangAlone(ctx, d.paths()...)
	case d.inv.mode == modeLink:
		return d.link(ctx)
	}
	for _, in := range d.inv.inputs {
		if !in.isSource() {
			if in.path != "" {
				if _, err := os.Stat(in.path); err != nil {
					return fmt.Errorf("no such file or directory: '%s'", in.path)
				}
				fmt.Fprintf(d.stderr, "migratecc: warning: %s: 'linker' input unused\n", in.path)
			}
			continue
		}
		output := d.inv.output
		if output == "" {
			ext := ".o"
			if d.inv.mode == modeText {
				ext = ".s"
			}
			output = stem(in.path) + ext
		}
		if err := d.compile(ctx, &in, output, output); err != nil {
			return err
		}
	}
	return nil
}

// paths returns the sources with their languages, as words for clang.
func (d *driver) paths() []string {
	var words []string
	for _, in := range d.inv.inputs {
		if in.path == "" {
			continue
		}
		language := in.language
		if language == "" {
			language = "none"
		}
		words = append(words, "-x", language, in.path)
	}
	return words
}

// clangAlone runs nothing but clang: it preprocesses, checks syntax, or prints commands.
func (d *driver) clangAlone(ctx context.Context, words ...string) error {
	args := append(d.inv.clang, words...)
	if d.inv.output != "" {
		args = append(args, "-o", d.inv.output)
	}
	if d.inv.depend && d.inv.depFile != "" {
		args = append(args, "-MF", d.inv.depFile)
	}
	return d.tc.FrontEnd(ctx, d.stdout, args...)
}

// compile compiles one source. target is what dependency files are to name: the output as
// the user knows it, which is not where an object for linking goes.
func (d *driver) compile(ctx context.Context, in *input, output, target string) error {
	if why := in.refusal(); why != "" {
		return fmt.Errorf("%s: %s", in.path, why)
	}
	if in.path != "-" {
		if _, err := os.Stat(in.path); err != nil {
			return fmt.Errorf("no such file or directory: '%s'", in.path)
		}
	}
	args := append([]string(nil), d.inv.clang...)
	if d.inv.depend {
		file := d.inv.depFile
		if file == "" {
			file = strings.TrimSuffix(target, filepath.Ext(target)) + ".d"
		}
		args = append(args, "-MF", file)
		if !d.inv.depNamed {
			args = append(args, "-MQ", target)
		}
	}
	if in.language != "" {
		args = append(args, "-x", in.language)
	}
	return d.tc.Compile(ctx, &toolchain.Compilation{
		Args:   args,
		Source: in.path,
		Output: output,
		System: d.inv.system,
		Text:   d.inv.mode == modeText,
	})
}

// stem returns the name of a source file without directory and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// link compiles what is source and links all.
func (d *driver) link(ctx context.Context) error {
	l := &toolchain.Link{Output: d.inv.output, FP: d.inv.fp, EmitDir: d.inv.emitDir, PollGap: d.inv.pollGap}
	if l.Output == "" {
		l.Output = "a.out"
	}
	if l.EmitDir == "" {
		l.EmitDir = l.Output + ".emit"
	}
	var err error
	if l.Targets, err = toolchain.Targets(d.inv.builds); err != nil {
		return err
	}
	if l.Emit, err = toolchain.EmitSet(d.inv.emit); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "migratecc-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for n, in := range d.inv.inputs {
		switch {
		case in.option != "":
			l.Inputs = append(l.Inputs, toolchain.Input{Option: in.option})
		case in.library != "":
			path, err := d.library(in.library)
			if err != nil {
				return err
			}
			if path != "" {
				l.Inputs = append(l.Inputs, toolchain.Input{Path: path})
			}
		case in.isSource():
			object := filepath.Join(dir, fmt.Sprintf("%d-%s.o", n, stem(in.path)))
			target := d.inv.output
			if target == "" {
				target = stem(in.path) + ".o"
			}
			if err := d.compile(ctx, &in, object, target); err != nil {
				return err
			}
			l.Inputs = append(l.Inputs, toolchain.Input{Path: object, Name: in.path})
		default:
			if _, err := os.Stat(in.path); err != nil {
				return fmt.Errorf("no such file or directory: '%s'", in.path)
			}
			l.Inputs = append(l.Inputs, toolchain.Input{Path: in.path})
		}
	}
	return d.tc.Link(ctx, l)
}

// inLibc lists the libraries that musl has no code of its own for, or that every image is
// linked with anyway.
var inLibc = map[string]bool{
	"c": true, "m": true, "pthread": true, "rt": true, "dl": true, "util": true,
	"crypt": true, "resolv": true, "xnet": true, "gcc": true, "gcc_eh": true,
}

// library finds the archive of -l; an empty path stands for one that is linked anyway.
func (d *driver) library(name string) (string, error) {
	file := "lib" + name + ".a"
	if exact, ok := strings.CutPrefix(name, ":"); ok {
		file = exact
	}
	for _, dir := range d.inv.libDirs {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("look for -l%s: %w", name, err)
		}
	}
	if inLibc[name] {
		return "", nil
	}
	path := filepath.Join(d.tc.Sysroot, "lib", file)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("unable to find library -l%s", name)
}
