package csmith_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/csmith"
	"github.com/migrated/migrated/testbed/oracle"
)

var (
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano())%1e9, "csmith's, of the first program")
	count = flag.Int("programs", 0, "how many; 0: 40, or 2000 for MIGRATED_LONG")
)

const (
	batch  = 40
	memory = 32 << 20
)

var levels = []string{"x86-64-v3", "armv8-a"}

// TestCampaign compares random programs as processes of this machine, plain in each build, and
// moved at every n-th migration point between all pairs of builds.
func TestCampaign(t *testing.T) {
	t.Setenv("MIGRATED_CACHE", "off") // no program comes twice
	total := *count
	if total == 0 {
		total = batch
		if os.Getenv("MIGRATED_LONG") != "" {
			total = 2000
		}
	}
	t.Logf("seeds from %d", *seed)
	sum := tally{next: *seed}
	for sum.programs < total {
		sum.add(t, min(batch, total-sum.programs))
	}
	t.Logf("%d programs, %d of them moved %d times in all; %d more left out as endless; the next seed is %d",
		sum.programs, sum.moved, sum.moves, sum.endless, sum.next)
	// Few programs are without loops; if most are, nothing was tested.
	if sum.moved < sum.programs/2 {
		t.Errorf("only %d of %d programs were moved", sum.moved, sum.programs)
	}
}

// A tally counts what the campaign has done.
type tally struct {
	next                            uint64 // seed
	programs, moved, moves, endless int
}

// add runs one batch.
func (s *tally) add(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	dir := t.TempDir()
	programs := s.make(t, ctx, dir, n)
	m, err := csmith.Image(ctx, dir, programs, levels...)
	if err != nil {
		t.Fatalf("seeds %d to %d: %v", programs[0].Seed, s.next-1, err)
	}
	for _, program := range programs {
		moves, err := compare(ctx, m, program)
		if err != nil {
			t.Errorf("%s: %v", program.Command(), err)
		}
		s.programs++
		s.moves += moves
		if moves > 0 {
			s.moved++
		}
	}
}

// make makes n programs that end.
func (s *tally) make(t *testing.T, ctx context.Context, dir string, n int) []*csmith.Program {
	t.Helper()
	var programs []*csmith.Program
	for ; len(programs) < n; s.next++ {
		p, err := csmith.New(ctx, dir, s.next)
		if errors.Is(err, csmith.ErrEndless) {
			s.endless++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	return programs
}

// compare runs one program plain and moved, and counts the moves.
func compare(ctx context.Context, m *image.Image, program *csmith.Program) (int, error) {
	p, err := oracle.Of(m)
	if err != nil {
		return 0, err
	}
	p.Memory, p.Args = memory, program.Args()
	report, err := p.Verify(ctx, m.Builds(), oracle.Plan{Nth: 40})
	if err != nil && !errors.Is(err, oracle.ErrNoMoves) { // a program may be without loops
		return report.Moves, err
	}
	if !bytes.Equal(report.Plain.Stdout, program.Output) {
		return report.Moves, fmt.Errorf("it prints\n%s\nbut as a process of this machine\n%s", report.Plain.Stdout, program.Output)
	}
	return report.Moves, nil
}
