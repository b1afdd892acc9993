package oracle_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func program(t *testing.T, args ...string) (*oracle.Program, []*image.Build) {
	config, builds := vmmtest.Guest(t, isa.X86_64, isa.AArch64)
	return &oracle.Program{Image: config, Memory: vmmtest.Memory, Args: append([]string{"guest"}, args...)}, builds
}

// patience bounds a run that hangs.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestVerify(t *testing.T) {
	p, builds := program(t, "count", "1000")
	const seed = 7
	report, err := p.Verify(patience(t), builds, oracle.Plan{Seed: seed, Moves: 8, Singles: 300, Nth: 50})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if report.Plain.Points != 1000 || report.Runs != 9 || report.Moves < 3*(300+1+50) {
		t.Errorf("report %+v", report)
	}
}

// TestEverySinglePoint moves at each point of a run, and counts them.
func TestEverySinglePoint(t *testing.T) {
	p, builds := program(t, "count", "500")
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Check(ctx, want, oracle.Route{Builds: builds, Gap: oracle.Every(1)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Moves != 500 || got.Points != 500 {
		t.Errorf("%d moves at %d points, want 500", got.Moves, got.Points)
	}
}

func TestInputMoves(t *testing.T) {
	p, builds := program(t, "cat")
	p.Stdin = []byte(strings.Repeat("what is typed at a machine that may be another by then\n", 3000))
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(want.Stdout) != string(p.Stdin) {
		t.Fatalf("%d bytes came back of %d", len(want.Stdout), len(p.Stdin))
	}
	for _, fresh := range []bool{false, true} {
		if _, err := p.Check(ctx, want, oracle.Route{Builds: builds, Gap: oracle.Every(7), Fresh: fresh, Limit: 20}); err != nil {
			t.Error(err)
		}
	}
}

// TestFinds runs a guest that loses something in a move.
func TestFinds(t *testing.T) {
	p, builds := program(t, "forget", "1000")
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Check(ctx, want, oracle.Route{Builds: builds, Gap: oracle.Every(100), Limit: 1})
	if err == nil || !strings.Contains(err.Error(), "standard output differs at byte") {
		t.Errorf("error %v, want a difference of output", err)
	}
}

// TestPoisons runs a guest that reads, back on the first of two machines, what it had left on
// a machine stack there.
func TestPoisons(t *testing.T) {
	p, builds := program(t, "stale", "1000")
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Check(ctx, want, oracle.Route{Builds: []*image.Build{builds[0], builds[0]}, Gap: oracle.Every(100), Limit: 2})
	if err == nil || !strings.Contains(err.Error(), "standard output differs at byte") {
		t.Errorf("error %v, want a difference of output", err)
	}
}

// TestFewerPoints: of a run that passes fewer migration points than the unmoved one, moves are
// planned anew, so that there are some.
func TestFewerPoints(t *testing.T) {
	p, builds := program(t, "count", "10")
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	more := *want
	more.Points = 1000
	got, err := oracle.Along(p, ctx, &more, builds, func(points uint64) oracle.Route {
		return oracle.Route{Gap: oracle.Every(max(1, points/2))}
	})
	if err != nil || got.Moves == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = oracle.Along(p, ctx, want, builds, func(uint64) oracle.Route { return oracle.Route{Gap: oracle.Never} })
	if !errors.Is(err, oracle.ErrNoMoves) {
		t.Errorf("no move: %v", err)
	}
}

func TestComparesSomething(t *testing.T) {
	p, builds := program(t, "count", "10")
	ctx := patience(t)
	want, err := p.Plain(ctx, builds[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Check(ctx, want, oracle.Route{Builds: builds, Gap: oracle.Every(11)}); !errors.Is(err, oracle.ErrNoMoves) {
		t.Errorf("no move: %v", err)
	}
	if err := oracle.Compare(&oracle.Result{}, &oracle.Result{Moves: 1}); !errors.Is(err, oracle.ErrEmptyReference) {
		t.Errorf("empty reference: %v", err)
	}
	other := *want
	other.Exit.Code++
	if err := oracle.Compare(want, &other); err == nil || !strings.Contains(err.Error(), "exit status") {
		t.Errorf("other status: %v", err)
	}
}
