package live_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/testbed/loopback"
)

// A still guest writes a few pages, anywhere, before each look at its log, and notes when it was
// stopped.
type still struct {
	mem     []byte
	rng     *rand.Rand
	stopped time.Time
}

const stillWrites = 200 // pages

func (g *still) Memory() []byte      { return g.mem }
func (g *still) LogDirty(bool) error { return nil }
func (g *still) Throttle(float64)    {}
func (g *still) Dirty(s []uint64) error {
	for range stillWrites {
		p := g.rng.Uint64N(uint64(len(g.mem)) / statexfer.PageSize)
		binary.LittleEndian.PutUint64(g.mem[p*statexfer.PageSize:], g.rng.Uint64())
		statexfer.Bitmap(s).Set(p)
	}
	return nil
}

func (g *still) Quiesce(context.Context) error { g.stopped = time.Now(); return nil }

// BenchmarkStopped is how long a guest stands still until its memory is agreed on by both sides:
// what is written last, and what there is to do for memory as a whole.
func BenchmarkStopped(b *testing.B) {
	for _, mib := range []int{64, 512, 2048} {
		for _, mode := range []live.Mode{live.PreCopy, live.PostCopy} {
			b.Run(fmt.Sprintf("%v/%dMiB", mode, mib), func(b *testing.B) {
				g := &still{mem: memory(b, mib<<20/statexfer.PageSize), rng: rand.New(rand.NewPCG(1, 2))}
				for at := 0; at < len(g.mem); at += statexfer.PageSize {
					binary.LittleEndian.PutUint64(g.mem[at+at/statexfer.PageSize%500*8:], g.rng.Uint64())
				}
				to := memory(b, len(g.mem)/statexfer.PageSize)
				var stood time.Duration
				for b.Loop() {
					from, there := loopback.Pair(b)
					done := make(chan error, 1)
					go func() {
						_, err := live.Receive(context.Background(), there, to, live.Options{Later: true})
						done <- err
					}()
					_, _, err := live.Send(context.Background(), from, g, live.Plan{Mode: mode, PostCopy: true}, nil)
					check(b, err)
					check(b, <-done)
					stood += time.Since(g.stopped)
					clear(to)
				}
				b.ReportMetric(float64(stood.Microseconds())/1e3/float64(b.N), "ms-stopped")
			})
		}
	}
}
