package corpus_test

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/testbed/corpus"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
)

// TestLevels moves a program of vectorised loops from each CPU level to each other one. What
// it prints is what it prints as a process of this host: with a*b+c rounded twice if one of
// the levels has no instruction for it, and else once.
func TestLevels(t *testing.T) {
	t.Logf("seed %d", *seed)
	all := toolchain.DefaultBuilds
	without := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		_, level, _ := isa.ByLevel(name)
		return !level.FMA
	})
	if len(without) == len(all) {
		t.Fatal("every level has fused multiply-add: there is nothing to tell apart")
	}
	var outputs []string
	for _, tt := range []struct {
		name   string
		builds []string
		fp     toolchain.FP
		native []string
	}{
		{"all", all, toolchain.FPAuto, []string{"-ffp-contract=off"}},
		{"with fused multiply-add", without, toolchain.FPAuto, []string{"-ffp-contract=on", "-march=x86-64-v3"}},
		{"fused by software", []string{"x86-64-v2", "x86-64-v3"}, toolchain.FPFused, []string{"-ffp-contract=on", "-march=x86-64-v3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := corpus.Program{Name: "levels", Path: "testdata/levels.c"}
			program, builds := build(t, p, toolchain.Options{Builds: tt.builds, FP: tt.fp})
			builds = runnable(t, builds)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			want, err := program.Plain(ctx, builds[0])
			if err != nil {
				t.Fatal(err)
			}
			numbers, nans, _ := bytes.Cut(want.Stdout, []byte("nan:"))
			outputs = append(outputs, string(numbers))
			if got := string(nans); got != " nan nan +nan  nan    nan|NAN   | nan nan\n" {
				t.Errorf("NaNs are printed as %q", got)
			}
			if runtime.GOARCH == isa.X86_64.OCI {
				native, _, _ := bytes.Cut(runNative(t, "clang-19", p, append(tt.native, "-O1")...), []byte("nan:"))
				if !bytes.Equal(numbers, native) {
					t.Errorf("prints\n%s\nbut as a process of this host\n%s", numbers, native)
				}
			}
			for _, b := range builds[1:] {
				got, err := program.Plain(ctx, b)
				if err != nil {
					t.Fatal(err)
				}
				if err := oracle.Compare(want, got); err != nil {
					t.Errorf("unmoved on %s, from %s: %v", b.Info.Level, builds[0].Info.Level, err)
				}
			}
			route := oracle.Route{Builds: everyPair(builds), Gap: oracle.Random(*seed, max(1, want.Points/50)), Fresh: true}
			got, err := program.Check(ctx, want, route)
			if err != nil {
				t.Fatalf("-seed %d: %v", *seed, err)
			}
			if got.Moves < len(route.Builds) {
				t.Errorf("%d moves, but there are %d ways between two levels", got.Moves, len(route.Builds))
			}
			t.Logf("%d migration points, %d moves", want.Points, got.Moves)
		})
	}
	if len(outputs) == 3 && (outputs[0] == outputs[1] || outputs[1] != outputs[2]) {
		t.Errorf("rounded twice:\n%s\nonce:\n%s\nonce, by software:\n%s", outputs[0], outputs[1], outputs[2])
	}
}

// runnable drops the builds of this host's ISA that its CPU cannot run.
func runnable(t *testing.T, builds []*image.Build) []*image.Build {
	h, err := host.Detect()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(builds), func(b *image.Build) bool {
		lacks := b.ISA == h.ISA && !slices.Contains(h.Levels, b.Info.Level)
		if lacks {
			t.Logf("this host is no %s", b.Info.Level)
		}
		return lacks
	})
}

// everyPair returns a round trip that goes from each build to each other one.
func everyPair(builds []*image.Build) []*image.Build {
	// An Eulerian circuit of the complete directed graph, by Hierholzer's algorithm.
	left := make(map[*image.Build][]*image.Build)
	for _, b := range builds {
		left[b] = slices.DeleteFunc(slices.Clone(builds), func(c *image.Build) bool { return c == b })
	}
	var circuit []*image.Build
	stack := builds[:1:1]
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		if next := left[at]; len(next) > 0 {
			left[at] = next[1:]
			stack = append(stack, next[0])
			continue
		}
		circuit = append(circuit, at)
		stack = stack[:len(stack)-1]
	}
	slices.Reverse(circuit)
	return circuit[:len(circuit)-1] // it ends where it began
}

func TestEveryPair(t *testing.T) {
	for n := 2; n <= 6; n++ {
		builds := make([]*image.Build, n)
		for i := range builds {
			builds[i] = new(image.Build)
		}
		route := everyPair(builds)
		ways := make(map[[2]*image.Build]bool)
		for i, b := range route {
			ways[[2]*image.Build{b, route[(i+1)%len(route)]}] = true
		}
		if len(route) != n*(n-1) || len(ways) != len(route) {
			t.Errorf("%d builds: %d of %d ways in a route of %d", n, len(ways), n*(n-1), len(route))
		}
	}
}
