package programs_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
)

// A suite is an image of many tests, which it prints the names of when it is given none. Each ends
// with status 0, but for those that testdata/NAME.txt names, with the status that they have and why.
type suite struct {
	name   string
	least  int    // tests, so that a suite that has become empty is noticed
	atOnce int    // tests that run at one time
	gap    uint64 // migration points between two moves, on average
	built  bool   // also those that are not run
}

// run runs each test on each build, and moved between them.
func (s suite) run(t *testing.T) {
	m := open(t, built(t, s.name)[s.name])
	x86, arm := build(t, m, "x86_64"), build(t, m, "aarch64")
	others := exceptions(t, s.name)
	t.Logf("seed %d", *seed)

	names := s.names(t, m, x86)
	for name, status := range others {
		if want := status != skipped || s.built; slices.Contains(names, name) != want {
			t.Errorf("testdata/%s.txt: is there a test %s? %v, want %v", s.name, name, !want, want)
		}
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, s.atOnce)
	for _, name := range names {
		other, listed := others[name]
		if listed && other == skipped {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			for _, route := range []oracle.Route{
				{Builds: []*image.Build{x86}},
				{Builds: []*image.Build{arm}},
				{Builds: []*image.Build{x86, arm}, Gap: oracle.Random(*seed, s.gap), Limit: 8, Fresh: true},
			} {
				status, output, err := s.one(ctx, m, name, route)
				if err != nil {
					t.Errorf("%s, %s: %v", name, isas(route), err)
				} else if status != other {
					t.Errorf("%s, %s: status %d, want %d; it prints %s", name, isas(route), status, other, brief(output))
				}
			}
		})
	}
	wait.Wait()
}

// isas names the ISAs of a route.
func isas(r oracle.Route) string {
	var names []string
	for _, b := range r.Builds {
		names = append(names, b.Info.ISA)
	}
	return strings.Join(names, " and ")
}

// one runs one test along a route.
func (s suite) one(ctx context.Context, m *image.Image, name string, route oracle.Route) (status int, output []byte, err error) {
	p, err := oracle.Of(m)
	if err != nil {
		return 0, nil, err
	}
	p.Args = []string{s.name, name}
	var got *oracle.Result
	if len(route.Builds) == 1 {
		got, err = p.Plain(ctx, route.Builds[0])
	} else {
		got, err = p.Moved(ctx, route)
	}
	if err != nil {
		return 0, nil, err
	}
	return int(got.Exit.Code), append(got.Stdout, got.Stderr...), nil
}

// names asks the image for its tests.
func (s suite) names(t *testing.T, m *image.Image, b *image.Build) []string {
	t.Helper()
	p, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	p.Args = []string{s.name}
	got, err := p.Plain(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(got.Stdout))
	if len(names) < s.least {
		t.Fatalf("only %d tests", len(names))
	}
	return names
}

// skipped is the status of tests that are not run.
const skipped = -1

// exceptions reads testdata/NAME.txt: lines of a test's name and its status, or - for one that is not
// run. Lines that begin with # say why.
func exceptions(t *testing.T, name string) map[string]int {
	t.Helper()
	file := "testdata/" + name + ".txt"
	statuses := make(map[string]int)
	for line := range bytes.Lines(read(t, file)) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		status, err := exception(fields)
		if err != nil {
			t.Fatalf("%s: %q: %v", file, bytes.TrimSpace(line), err)
		}
		statuses[fields[0]] = status
	}
	return statuses
}

func exception(fields []string) (int, error) {
	if len(fields) != 2 {
		return 0, fmt.Errorf("%d fields, want 2", len(fields))
	}
	if fields[1] == "-" {
		return skipped, nil
	}
	return strconv.Atoi(fields[1])
}
