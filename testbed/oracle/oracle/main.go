// Command oracle runs an image under tenders, plain and moved, and compares:
//
//	oracle [flags] IMAGE [ARGUMENT ...]
//
// With -plain ISA it only runs the program, on this terminal.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/vmm"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	status, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(125)
	}
	os.Exit(status)
}

// A fileList is -file, as often as wanted.
type fileList []vmm.File

func (l *fileList) String() string { return "" }

func (l *fileList) Set(s string) error {
	host, guest, ok := strings.Cut(s, ":")
	if !ok {
		return fmt.Errorf("%q is not HOST:GUEST", s)
	}
	b, err := os.ReadFile(host)
	if err != nil {
		return err
	}
	*l = append(*l, vmm.File{Path: guest, Mode: 0o644, Data: b})
	return nil
}

func run(ctx context.Context) (int, error) {
	plan := oracle.Plan{}
	var files fileList
	seed := flag.Uint64("seed", 0, "seed of the random moves (0: choose one)")
	flag.IntVar(&plan.Moves, "moves", 8, "random moves in each run, about")
	flag.IntVar(&plan.Singles, "singles", 200, "moves at every single migration point in turn, at most (0: none)")
	memory := flag.Uint64("memory", 64, "portable memory, MiB")
	timeout := flag.Duration("timeout", time.Minute, "for all runs")
	stdin := flag.Bool("stdin", false, "give the program this command's standard input")
	plain := flag.String("plain", "", "only run the program, unmoved, on the build for this ISA")
	flag.Var(&files, "file", "HOST:GUEST, a file for the guest's file system; may be repeated")
	flag.Parse()
	if flag.NArg() == 0 {
		return 0, fmt.Errorf("no image named; see -h")
	}
	m, err := image.Open(flag.Arg(0))
	if err != nil {
		return 0, err
	}
	p, err := oracle.Of(m)
	if err != nil {
		return 0, err
	}
	p.Memory, p.Files = *memory<<20, files
	p.Args = append([]string{filepath.Base(flag.Arg(0))}, flag.Args()[1:]...)
	if *stdin {
		if p.Stdin, err = io.ReadAll(os.Stdin); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if *plain != "" {
		return runPlain(ctx, p, m, *plain)
	}
	plan.Seed = *seed
	if plan.Seed == 0 {
		plan.Seed = rand.Uint64()
	}
	report, err := p.Verify(ctx, m.Builds(), plan)
	if err != nil {
		return 0, err
	}
	fmt.Printf("same output and status after %d moves in %d runs (seed %d; unmoved it passes %d migration points)\n",
		report.Moves, report.Runs, plan.Seed, report.Plain.Points)
	return 0, nil
}

func runPlain(ctx context.Context, p *oracle.Program, m *image.Image, isaName string) (int, error) {
	for _, b := range m.Builds() {
		if b.ISA.Name != isaName {
			continue
		}
		r, err := p.Plain(ctx, b)
		if err != nil {
			return 0, err
		}
		os.Stdout.Write(r.Stdout)
		os.Stderr.Write(r.Stderr)
		for _, l := range r.Log {
			fmt.Fprintln(os.Stderr, "kernel:", l)
		}
		if r.Exit.Crash != nil {
			fmt.Fprint(os.Stderr, r.Exit.Crash)
		}
		return r.Exit.Code, nil
	}
	return 0, fmt.Errorf("image has no build for %s", isaName)
}
