package corpus_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/corpus"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the points to move at")

const memory = 32 << 20

// TestOracle runs each program plain, then moved between all pairs of builds, at random
// points and at each point in turn.
func TestOracle(t *testing.T) {
	t.Logf("seed %d", *seed)
	plan := oracle.Plan{Seed: *seed, Moves: 8, Singles: 400}
	if os.Getenv("MIGRATED_LONG") != "" {
		plan.Moves, plan.Singles = 100, 20000
	}
	for _, p := range load(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			program, builds := build(t, p, toolchain.Options{
				Builds: toolchain.OnePerISA,
				FP:     toolchain.FPSeparate, // as the native builds that it is compared with
			})
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			want, err := program.Plain(ctx, builds[0])
			if err != nil {
				t.Fatal(err)
			}
			if want.Exit.Code != p.Exit {
				t.Errorf("exit status %d, want %d; standard error: %s", want.Exit.Code, p.Exit, want.Stderr)
			}
			if native := runNative(t, "cc", p, "-O1", "-ffp-contract=off"); differs[p.Name] == "" && !bytes.Equal(want.Stdout, native) {
				t.Errorf("prints\n%s\nbut as a process of this host\n%s", want.Stdout, native)
			}
			report, err := program.Verify(ctx, builds, plan)
			if err != nil {
				t.Fatalf("-seed %d: %v", *seed, err)
			}
			t.Logf("%d migration points, %d moves in %d runs", report.Plain.Points, report.Moves, report.Runs)
		})
	}
}

func load(t *testing.T) []corpus.Program {
	programs, err := corpus.Load("programs")
	if err != nil {
		t.Fatal(err)
	}
	if len(programs) < 40 {
		t.Fatalf("only %d programs", len(programs))
	}
	return programs
}

func build(t *testing.T, p corpus.Program, o toolchain.Options) (*oracle.Program, []*image.Build) {
	path := filepath.Join(t.TempDir(), p.Name+".img")
	o.Sources, o.CFlags, o.Output = []string{p.Path}, []string{"-O2", "-std=gnu11"}, path
	if err := toolchain.Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	m, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	program, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	program.Memory = memory
	program.Args = append([]string{p.Name}, p.Args...)
	program.Stdin = p.Stdin
	return program, m.Builds()
}

// differs names programs whose output is another one natively, and why.
var differs = map[string]string{
	"longdouble": "long double has 80 bits in x86-64 processes, 128 here",
	"structmix":  "it prints a long double",
	"varargs":    "it prints a long double",
	"math":       "the host's C library rounds some functions otherwise than musl",
	"complexnum": "the host's C library rounds some functions otherwise than musl",
	"strings":    "the host's C library words errors otherwise than musl",
	"files":      "the host's C library words errors otherwise than musl",
}
