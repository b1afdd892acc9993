// Command csmith runs a campaign of random C programs in pieces, each of which goes on where
// the last has ended; what fails is kept and reduced:
//
//	csmith [flags] [SEED ...]
//
// Programs are compared forty in an image. The campaign's state is written behind each image,
// so a piece may be interrupted at any time. With seeds only the programs of these are compared.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/migrated/migrated/testbed/csmith"
	"github.com/migrated/migrated/toolchain"
)

const batch = 40 // programs in one image

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "csmith:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir := flag.String("dir", "build/csmith", "where the campaign's state and failing programs are")
	first := flag.Uint64("first", 1, "csmith's seed of a campaign's first program")
	programs := flag.Int("programs", 2000, "how many the campaign is to have in all")
	builds := flag.String("builds", strings.Join(toolchain.OnePerISA, ","), "levels that programs are compared in; empty: all")
	reduce := flag.Bool("reduce", true, "shorten programs that fail")
	flag.Parse()
	os.Setenv("MIGRATED_CACHE", "off") // no program comes twice
	c := &campaign{dir: *dir, reduce: *reduce}
	if *builds != "" {
		c.Builds = strings.Split(*builds, ",")
	}
	if flag.NArg() > 0 {
		for _, arg := range flag.Args() {
			seed, err := strconv.ParseUint(arg, 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no seed; see -h", arg)
			}
			c.Next = seed
			if err := c.step(ctx, 1); err != nil {
				return err
			}
		}
		return c.end()
	}
	c.state = filepath.Join(*dir, "campaign.json")
	if err := c.load(*first); err != nil {
		return err
	}
	for c.Programs < *programs {
		if err := c.step(ctx, min(batch, *programs-c.Programs)); err != nil {
			return err
		}
		if err := c.save(); err != nil {
			return err
		}
		fmt.Println(&c.Tally)
	}
	return c.end()
}

// end says what has come of it.
func (c *campaign) end() error {
	if len(c.Failed) > 0 {
		return fmt.Errorf("%d of %d programs failed: %v; see %s", len(c.Failed), c.Programs, c.Failed, c.dir)
	}
	fmt.Printf("none of %d programs failed\n", c.Programs)
	return nil
}

type campaign struct {
	csmith.Tally
	First  uint64 `json:"first_seed"`
	dir    string
	state  string // file
	reduce bool
}

// load takes up the state of the last piece, or begins.
func (c *campaign) load(first uint64) error {
	text, err := os.ReadFile(c.state)
	if errors.Is(err, fs.ErrNotExist) {
		c.First, c.Next = first, first
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the campaign's state: %w", err)
	}
	builds := c.Builds
	if err := json.Unmarshal(text, c); err != nil {
		return fmt.Errorf("read the campaign's state: %s: %w (delete it to begin anew)", c.state, err)
	}
	if c.First != first && first != 1 {
		return fmt.Errorf("the campaign in %s has begun with seed %d: give another one a directory of its own with -dir", c.dir, c.First)
	}
	if !slices.Equal(c.Builds, builds) {
		return fmt.Errorf("the campaign in %s has -builds=%q: give another one a directory of its own with -dir", c.dir, strings.Join(c.Builds, ","))
	}
	fmt.Println("so far:", &c.Tally)
	return nil
}

func (c *campaign) save() error {
	text, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return fmt.Errorf("write the campaign's state: %w", err)
	}
	part := c.state + ".part"
	if err := os.WriteFile(part, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the campaign's state: %w", err)
	}
	return os.Rename(part, c.state)
}

// step does one image of programs.
func (c *campaign) step(ctx context.Context, n int) error {
	scratch, err := os.MkdirTemp("", "csmith-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var failed error // to keep what failed
	err = c.Batch(ctx, scratch, n, func(p *csmith.Program, failure error) {
		failed = errors.Join(failed, c.keep(ctx, p, failure))
	})
	if err != nil {
		return err
	}
	return failed
}

// keep writes down a program that failed, and a shorter one that fails too.
func (c *campaign) keep(ctx context.Context, p *csmith.Program, failure error) error {
	dir, err := p.Keep(c.dir, failure)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d failed, see %s: %v\n", p.Seed, dir, failure)
	if !c.reduce {
		return nil
	}
	scratch, err := os.MkdirTemp("", "csmith-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	short := filepath.Join(dir, "reduced.c")
	if err := os.WriteFile(short, p.Reduce(ctx, scratch, c.Builds), 0o644); err != nil {
		return fmt.Errorf("keep a failing program: %w", err)
	}
	fmt.Printf("seed %d reduced: %s\n", p.Seed, short)
	return nil
}
