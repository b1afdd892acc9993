// Command csmith runs a campaign of random C programs in pieces, each of which goes on where
// the last has ended; what fails is kept and reduced:
//
//	csmith [flags]
//
// Programs are compared forty in an image. The campaign's state is written behind each image,
// so a piece may be interrupted at any time.
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
	"syscall"

	"github.com/migrated/migrated/testbed/csmith"
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
	seed := flag.Uint64("seed", 0, "csmith's, of the first program: begins a campaign of its own; 0: goes on")
	programs := flag.Int("programs", 2000, "how many the campaign is to have in all")
	reduce := flag.Bool("reduce", true, "shorten programs that fail")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see -h", flag.Arg(0))
	}
	os.Setenv("MIGRATED_CACHE", "off") // no program comes twice
	c := &campaign{dir: *dir, state: filepath.Join(*dir, "campaign.json"), reduce: *reduce}
	if *seed != 0 {
		c.state = filepath.Join(*dir, fmt.Sprintf("campaign-%d.json", *seed))
		c.Next = *seed
	} else {
		c.Next = 1
	}
	if err := c.load(); err != nil {
		return err
	}
	for c.Programs < *programs {
		if err := c.step(ctx, min(batch, *programs-c.Programs)); err != nil {
			return err
		}
		fmt.Println(&c.Tally)
	}
	if len(c.Failed) > 0 {
		return fmt.Errorf("%d of %d programs failed: %v; see %s", len(c.Failed), c.Programs, c.Failed, c.dir)
	}
	fmt.Printf("complete: none of %d programs failed\n", c.Programs)
	return nil
}

type campaign struct {
	csmith.Tally
	dir, state string
	reduce     bool
}

// load takes up the state of the last piece, if there is one.
func (c *campaign) load() error {
	text, err := os.ReadFile(c.state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the campaign's state: %w", err)
	}
	if err := json.Unmarshal(text, &c.Tally); err != nil {
		return fmt.Errorf("read the campaign's state: %s: %w (delete it to begin anew)", c.state, err)
	}
	fmt.Println("so far:", &c.Tally)
	return nil
}

func (c *campaign) save() error {
	text, err := json.MarshalIndent(&c.Tally, "", "\t")
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
	return errors.Join(failed, c.save())
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
	if err := os.WriteFile(short, p.Reduce(ctx, scratch), 0o644); err != nil {
		return fmt.Errorf("keep a failing program: %w", err)
	}
	fmt.Printf("seed %d reduced: %s\n", p.Seed, short)
	return nil
}
