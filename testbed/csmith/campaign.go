package csmith

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
)

// memory of each program's machine, bytes
const memory = 32 << 20

// A Tally counts what a campaign has done, and says where it goes on.
type Tally struct {
	Builds   []string `json:"builds"`    // levels that programs are compared in; none stand for all
	Next     uint64   `json:"next_seed"` // csmith's, of the next program
	Programs int      `json:"programs"`
	Moved    int      `json:"moved"` // programs that were moved: some are without loops
	Moves    int      `json:"moves"`
	Endless  int      `json:"endless"` // left out
	Failed   []uint64 `json:"failed_seeds"`
}

func (t *Tally) String() string {
	return fmt.Sprintf("%d programs, %d of them moved %d times in all, %d failed; %d more left out as endless; the next seed is %d",
		t.Programs, t.Moved, t.Moves, len(t.Failed), t.Endless, t.Next)
}

// Batch makes n programs in a directory, puts them into one image, and compares each as a
// process of this machine, plain in each build, and moved at every n-th migration point
// between all pairs of builds. What fails is reported; an error is of the batch, which then
// counts for nothing.
func (t *Tally) Batch(ctx context.Context, dir string, n int, report func(*Program, error)) error {
	next := *t
	programs, err := next.generate(ctx, dir, n)
	if err != nil {
		return err
	}
	m, err := Image(ctx, dir, programs, t.Builds)
	if err != nil {
		return fmt.Errorf("seeds %d to %d: %w", t.Next, next.Next-1, err)
	}
	for _, program := range programs {
		moves, err := program.Compare(ctx, m)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			next.Failed = append(next.Failed, program.Seed)
			report(program, err)
		}
		next.Programs++
		next.Moves += moves
		if moves > 0 {
			next.Moved++
		}
	}
	*t = next
	return nil
}

// generate makes n programs that end.
func (t *Tally) generate(ctx context.Context, dir string, n int) ([]*Program, error) {
	var programs []*Program
	for ; len(programs) < n; t.Next++ {
		p, err := New(ctx, dir, t.Next)
		if errors.Is(err, ErrEndless) {
			t.Endless++
			continue
		}
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

// Compare runs the program, which is one of those in the image, plain and moved, and counts
// the moves.
func (p *Program) Compare(ctx context.Context, m *image.Image) (moves int, _ error) {
	run, err := oracle.Of(m)
	if err != nil {
		return 0, err
	}
	run.Memory, run.Args = memory, p.Args()
	report, err := run.Verify(ctx, m.Builds(), oracle.Plan{Nth: 40})
	if err != nil && !errors.Is(err, oracle.ErrNoMoves) { // a program may be without loops
		return report.Moves, err
	}
	if !bytes.Equal(report.Plain.Stdout, p.Output) {
		return report.Moves, fmt.Errorf("it prints\n%s\nbut as a process of this machine\n%s", report.Plain.Stdout, p.Output)
	}
	return report.Moves, nil
}
