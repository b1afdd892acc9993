package programs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
)

// posixAtOnce is how many tests run at one time: most of them sleep.
const posixAtOnce = 12

// TestPOSIX runs the tests of interfaces of the Open POSIX Test Suite, plain and moved to the other
// ISA and back. Each ends with status 0, but for those that testdata/posix.txt names, with the status
// that they have and why.
func TestPOSIX(t *testing.T) {
	expensive(t, "150 s of CPU time, and their run ten minutes")
	m := open(t, built(t, "posixtestsuite")["posixtestsuite"])
	x86, arm := build(t, m, "x86_64"), build(t, m, "aarch64")
	others := exceptions(t)
	t.Logf("seed %d", *seed)

	names := posixNames(t, m, x86)
	for name := range others {
		if !slices.Contains(names, name) {
			t.Errorf("testdata/posix.txt: there is no test %s", name)
		}
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, posixAtOnce)
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
				{Builds: []*image.Build{x86, arm}, Gap: oracle.Random(*seed, 40), Limit: 8, Fresh: true},
			} {
				status, output, err := posix(ctx, m, name, route)
				if err != nil {
					t.Errorf("%s, %d builds: %v", name, len(route.Builds), err)
				} else if status != other {
					t.Errorf("%s, %d builds: status %d, want %d; it prints %s", name, len(route.Builds), status, other, brief(output))
				}
			}
		})
	}
	wait.Wait()
}

// posix runs one test along a route.
func posix(ctx context.Context, m *image.Image, name string, route oracle.Route) (status int, output []byte, err error) {
	p, err := oracle.Of(m)
	if err != nil {
		return 0, nil, err
	}
	p.Args = []string{"posixtestsuite", name}
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

// posixNames asks the image for its tests.
func posixNames(t *testing.T, m *image.Image, b *image.Build) []string {
	t.Helper()
	p, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	p.Args = []string{"posixtestsuite"}
	got, err := p.Plain(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(got.Stdout))
	if len(names) < 1000 {
		t.Fatalf("only %d tests", len(names))
	}
	return names
}

// skipped is the status of tests that are not run.
const skipped = -1

// exceptions reads testdata/posix.txt: lines of a test's name and its status, or - for one that is not
// run. Lines that begin with # say why.
func exceptions(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("testdata/posix.txt")
	if err != nil {
		t.Fatal(err)
	}
	statuses := make(map[string]int)
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		status, err := exception(fields)
		if err != nil {
			t.Fatalf("testdata/posix.txt: %q: %v", bytes.TrimSpace(line), err)
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
