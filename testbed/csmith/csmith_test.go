package csmith_test

import (
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/csmith"
	"github.com/migrated/migrated/toolchain"
)

var (
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano())%1e9, "csmith's, of the first program")
	count = flag.Int("programs", 0, "how many; 0: 40, or 2000 for MIGRATED_LONG")
)

const batch = 40

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
	sum := csmith.Tally{Builds: toolchain.OnePerISA, Next: *seed}
	for sum.Programs < total {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		err := sum.Batch(ctx, t.TempDir(), min(batch, total-sum.Programs), func(p *csmith.Program, err error) {
			t.Errorf("seed %d: %v\ngo run ./testbed/cmd/csmith %d reduces it", p.Seed, err, p.Seed)
		})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Log(&sum)
	// Few programs are without loops; if most are, nothing was tested.
	if sum.Moved < sum.Programs/2 {
		t.Errorf("only %d of %d programs were moved", sum.Moved, sum.Programs)
	}
}
