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
	t.Logf("seeds %d to %d", *seed, *seed+uint64(total)-1)
	var sum tally
	for done := 0; done < total; done += batch {
		sum.add(t, *seed+uint64(done), min(batch, total-done))
	}
	t.Logf("%d programs, %d of them moved %d times in all, %d left out as endless",
		sum.programs, sum.moved, sum.moves, sum.endless)
	// Few programs are without loops; if most are, nothing was tested.
	if sum.moved < sum.programs/2 {
		t.Errorf("only %d of %d programs were moved", sum.moved, sum.programs)
	}
}

// A tally counts what the campaign has done.
type tally struct{ programs, moved, moves, endless int }

// add runs one batch.
func (s *tally) add(t *testing.T, first uint64, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	b, err := csmith.Generate(ctx, t.TempDir(), first, n)
	if err != nil {
		t.Fatal(err)
	}
	native, err := b.Native(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.Image(ctx, levels...)
	if err != nil {
		t.Fatalf("seeds %d to %d: %v", first, first+uint64(n)-1, err)
	}
	for i := range n {
		want, err := native.Run(ctx, i)
		if errors.Is(err, csmith.ErrEndless) {
			s.endless++
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", b.Command(i), err)
		}
		p, err := oracle.Of(m)
		if err != nil {
			t.Fatal(err)
		}
		p.Memory, p.Args = memory, csmith.Args(i)
		moves, err := compare(ctx, p, m.Builds(), want)
		if err != nil {
			t.Errorf("%s: %v", b.Command(i), err)
		}
		s.programs++
		s.moves += moves
		if moves > 0 {
			s.moved++
		}
	}
}

// compare runs one program plain and moved, and counts the moves.
func compare(ctx context.Context, p *oracle.Program, builds []*image.Build, want []byte) (int, error) {
	report, err := p.Verify(ctx, builds, oracle.Plan{Nth: 40})
	if err != nil && !errors.Is(err, oracle.ErrNoMoves) { // a program may be without loops
		return report.Moves, err
	}
	if !bytes.Equal(report.Plain.Stdout, want) {
		return report.Moves, fmt.Errorf("it prints\n%s\nbut as a process of this machine\n%s", report.Plain.Stdout, want)
	}
	return report.Moves, nil
}
