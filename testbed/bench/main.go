// Command bench measures what moving between machines costs programs, and prints one table:
// each row was measured in one run, beside what is expected of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/testbed/board"
)

// A suite makes rows of one kind.
type suite struct {
	name string
	run  func(context.Context, *bench) error
}

var suites = []suite{
	{"speed", speeds},
	{"build", building},
	{"size", sizes},
	{"gap", gaps},
	{"leave", leaving},
	{"start", starting},
	{"idle", idling},
	{"move", moving},
	{"link", linking},
	{"board", boarding},
}

// A bench is what the suites share.
type bench struct {
	root    string    // of the repository
	dir     string    // for images and reference programs; kept, as they take long to build
	level   isa.Level // of this machine
	class   string    // of NPB; empty: kernelClasses
	runs    int
	noBoard bool
	all     bool // the largest heaps too
	only    *regexp.Regexp
	report  *report
}

// wants says whether a row is asked for.
func (b *bench) wants(name string) bool { return b.only.MatchString(name) }

func main() {
	class := flag.String("class", "", "problem size of NPB: S, W or A; none: what takes about a second")
	runs := flag.Int("runs", 5, "runs of each program, of which the fastest counts")
	only := flag.String("only", "", "only rows whose name matches this regular expression")
	noBoard := flag.Bool("no-board", false, "do not boot an emulated board")
	all := flag.Bool("all", false, "compare moves of heaps of 2 GiB with QEMU's, too: half an hour")
	format := flag.String("o", "table", "table or json")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: bench [flags]\nMeasures what moving between machines costs programs.\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil || flag.NArg() > 0 || *runs < 1 || *format != "table" && *format != "json" {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: -only:", err)
		}
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	b := &bench{class: *class, runs: *runs, noBoard: *noBoard, all: *all, only: pattern, report: &report{}}
	err = b.run(ctx)
	if *format == "json" {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = errors.Join(err, enc.Encode(b.report))
	} else {
		err = errors.Join(err, b.report.print(os.Stdout))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the suites. One that fails does not keep the others from running.
func (b *bench) run(ctx context.Context) error {
	var err error
	if b.root, err = board.Root(); err != nil {
		return err
	}
	if b.dir, err = makeDir(b.root, "build/bench"); err != nil {
		return err
	}
	if b.level, err = levelHere(); err != nil {
		return err
	}
	var errs []error
	for _, s := range suites {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.run(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}

// levelHere returns the best level of this machine's processor.
func levelHere() (isa.Level, error) {
	h, err := host.Detect()
	if err != nil {
		return isa.Level{}, err
	}
	_, level, ok := isa.ByLevel(h.Levels[len(h.Levels)-1])
	if !ok {
		return isa.Level{}, fmt.Errorf("unknown level %q", h.Levels[len(h.Levels)-1])
	}
	return level, nil
}

// logf says on standard error what goes on.
func logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
