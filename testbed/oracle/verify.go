package oracle

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/migrated/migrated/image"
)

// A Plan says how much Verify tries.
type Plan struct {
	Seed    uint64 // of the random routes; print it
	Moves   int    // random moves in each run, about; 0: none
	Singles int    // bound of the moves at every single migration point in turn; 0: none
	Nth     int    // moves at every n-th migration point, n such that there are about so many; 0: none
}

// A Report counts what Verify did.
type Report struct {
	Plain *Result // the unmoved run
	Runs  int     // moved ones
	Moves int     // in all of them
}

// Verify compares the program's unmoved run with runs between all pairs of builds, and
// between two machines with the build that is native here: with random moves, each to a
// machine of its own, at every single migration point in turn, and at every n-th one.
func (p *Program) Verify(ctx context.Context, builds []*image.Build, plan Plan) (Report, error) {
	var report Report
	want, err := p.reference(ctx, builds)
	if err != nil {
		return report, err
	}
	report.Plain = want
	for i, pair := range pairs(builds) {
		for name := range plan.routes(want.Points, uint64(i)) {
			got, err := p.along(ctx, want, pair, func(points uint64) Route { return plan.routes(points, uint64(i))[name] })
			if err != nil {
				return report, fmt.Errorf("%s moves, %s to %s, seed %d: %w",
					name, pair[0].Info.ISA, pair[1].Info.ISA, plan.Seed, err)
			}
			report.Runs++
			report.Moves += got.Moves
		}
	}
	return report, nil
}

// along checks a route that is laid out by how many migration points there are. A program that runs
// until a timer ends it may pass fewer than its unmoved run did, and end before its first move: then
// the route is laid out anew.
func (p *Program) along(ctx context.Context, want *Result, pair []*image.Build, route func(points uint64) Route) (*Result, error) {
	for points := want.Points; ; {
		r := route(points)
		r.Builds = pair
		got, err := p.Check(ctx, want, r)
		if !errors.Is(err, ErrNoMoves) || got.Points == 0 || got.Points >= points {
			return got, err
		}
		points = got.Points
	}
}

// routes are those of a run with so many migration points, without their builds.
func (plan *Plan) routes(points, number uint64) map[string]Route {
	routes := make(map[string]Route)
	if n := plan.Moves; n > 0 {
		routes["random"] = Route{Gap: Random(plan.Seed+number, max(1, points/uint64(n))), Limit: 4 * n, Fresh: true}
	}
	if n := plan.Singles; n > 0 {
		routes["single"] = Route{Gap: Every(1), Limit: n}
	}
	if n := plan.Nth; n > 0 {
		routes["n-th"] = Route{Gap: Every(max(1, points/uint64(n)))}
	}
	return routes
}

// reference runs the program unmoved on all builds, which must agree.
func (p *Program) reference(ctx context.Context, builds []*image.Build) (*Result, error) {
	if len(builds) == 0 {
		return nil, errors.New("no builds to run")
	}
	var want *Result
	for _, b := range builds {
		got, err := p.Plain(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("run unmoved on %s: %w", b.Info.ISA, err)
		}
		if want == nil {
			want = got
		}
		if err := Compare(want, got); err != nil {
			return nil, fmt.Errorf("builds differ without a move, %s from %s: %w", b.Info.ISA, builds[0].Info.ISA, err)
		}
	}
	return want, nil
}

// pairs returns all ordered pairs of builds, and the one that is native here with itself.
func pairs(builds []*image.Build) [][]*image.Build {
	var p [][]*image.Build
	for _, a := range builds {
		for _, b := range builds {
			if a != b || a.ISA.OCI == runtime.GOARCH {
				p = append(p, []*image.Build{a, b})
			}
		}
	}
	return p
}
