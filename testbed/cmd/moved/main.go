// Command moved runs an image in place of a command of this machine, and moves it to the
// other ISA and back on the way, so that a program's own test suite can run it:
//
//	moved [flags] IMAGE [ARGUMENT ...]
//
// Standard input, output, error and the exit status are the program's. It sees the
// environment, the files of the working directory, which is / to it, up to 1 MiB each, and
// those that its arguments name.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path"
	"path/filepath"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/vmm"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	status, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "moved:", err)
		os.Exit(125)
	}
	os.Exit(status)
}

func run(ctx context.Context) (int, error) {
	name := flag.String("name", "", "the program's argv[0]; empty: the image's name")
	seed := flag.Uint64("seed", 0, "of the points to move at; 0: a random one")
	mean := flag.Uint64("mean", 1000, "migration points from one move to the next, on average")
	limit := flag.Int("moves", 6, "moves at most")
	memory := flag.Uint64("memory", 64, "portable memory, MiB")
	tally := flag.String("tally", "", "a file to which the number of moves is added, as a line")
	flag.Parse()
	if flag.NArg() == 0 {
		return 0, errors.New("no image named; see -h")
	}
	m, err := image.Open(flag.Arg(0))
	if err != nil {
		return 0, err
	}
	p, err := oracle.Of(m)
	if err != nil {
		return 0, err
	}
	if *name == "" {
		*name = m.Config().Name
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	p.Memory, p.Env = *memory<<20, os.Environ()
	p.Args = append([]string{*name}, flag.Args()[1:]...)
	if p.Files, err = files(flag.Args()[1:]); err != nil {
		return 0, err
	}
	if p.Stdin, err = io.ReadAll(os.Stdin); err != nil {
		return 0, fmt.Errorf("read standard input: %w", err)
	}
	builds := m.Builds()
	got, err := p.Moved(ctx, oracle.Route{
		Builds: []*image.Build{builds[0], builds[len(builds)-1]},
		Gap:    oracle.Random(*seed, *mean), Limit: *limit, Fresh: true,
	})
	if err != nil {
		return 0, fmt.Errorf("seed %d: %w", *seed, err)
	}
	return got.Exit.Code, report(got, *tally)
}

// report hands on what the program printed.
func report(got *oracle.Result, tally string) error {
	if c := got.Exit.Crash; c != nil {
		fmt.Fprintf(os.Stderr, "moved: after %d moves: %+v\n", got.Moves, *c)
	}
	if _, err := os.Stderr.Write(got.Stderr); err != nil {
		return err
	}
	if _, err := os.Stdout.Write(got.Stdout); err != nil {
		return err
	}
	if tally == "" {
		return nil
	}
	f, err := os.OpenFile(tally, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, got.Moves); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// files reads those of the working directory and those that arguments name.
func files(arguments []string) ([]vmm.File, error) {
	names, err := filepath.Glob("*")
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	var list []vmm.File
	const most = 1 << 20 // bytes of a file that no argument names
	for i, name := range append(names, arguments...) {
		inGuest := path.Clean("/" + filepath.ToSlash(name))
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || seen[inGuest] ||
			i < len(names) && info.Size() > most {
			continue // an argument may be anything
		}
		seen[inGuest] = true
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, vmm.File{
			Path: inGuest, Mode: uint32(info.Mode().Perm()), ModTime: info.ModTime(), Data: data,
		})
	}
	return list, nil
}
