package live_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/testbed/loopback"
)

// A guest is a goroutine that writes to memory and keeps the dirty log itself.
type guest struct {
	mem   []byte
	hot   int           // pages that it writes to
	pause time.Duration // after each write

	mu       sync.Mutex
	dirty    statexfer.Bitmap
	logging  bool
	share    float64
	shares   []float64 // that it was ever held back by
	stop     chan struct{}
	stopped  chan struct{}
	writes   int
	noLog    error
	quiesced bool
}

func memory(t testing.TB, pages int) []byte {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, pages*statexfer.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	check(t, err)
	t.Cleanup(func() { unix.Munmap(mem) })
	return mem
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newGuest(t testing.TB, pages, hot int, pause time.Duration) *guest {
	g := &guest{mem: memory(t, pages), hot: hot, pause: pause, dirty: statexfer.NewBitmap(uint64(pages))}
	rng := rand.New(rand.NewPCG(1, 2))
	for p := range pages * 3 / 4 {
		for at := 0; at < statexfer.PageSize; at += 8 {
			binary.LittleEndian.PutUint64(g.mem[p*statexfer.PageSize+at:], rng.Uint64()>>(p%4*16))
		}
	}
	g.run()
	t.Cleanup(g.halt)
	return g
}

func (g *guest) run() {
	g.stop, g.stopped, g.quiesced = make(chan struct{}), make(chan struct{}), false
	go func() {
		defer close(g.stopped)
		rng := rand.New(rand.NewPCG(3, 4))
		for {
			select {
			case <-g.stop:
				return
			default:
			}
			g.mu.Lock()
			if g.hot > 0 {
				p := rng.IntN(g.hot)
				binary.LittleEndian.PutUint64(g.mem[p*statexfer.PageSize+8*rng.IntN(512):], rng.Uint64())
				g.writes++
				if g.logging {
					g.dirty.Set(uint64(p))
				}
			}
			share := g.share
			g.mu.Unlock()
			if pause := g.pause + time.Duration(share*float64(20*time.Microsecond)/(1-share)); pause > 0 {
				time.Sleep(pause)
			}
		}
	}()
}

func (g *guest) halt() {
	if !g.quiesced {
		g.quiesced = true
		close(g.stop)
		<-g.stopped
	}
}

func (g *guest) Memory() []byte { return g.mem }

func (g *guest) LogDirty(on bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.logging = on
	clear(g.dirty)
	return g.noLog
}

func (g *guest) Dirty(set []uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.dirty {
		set[i] |= w
	}
	clear(g.dirty)
	return nil
}

func (g *guest) Throttle(share float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.share = share
	if share > 0 {
		g.shares = append(g.shares, share)
	}
}

func (g *guest) Quiesce(context.Context) error { g.halt(); return nil }

// move moves a guest, and checks what arrives.
func move(t *testing.T, g *guest, plan live.Plan, opt live.Options, to []byte) (*live.Result, *live.Arrival) {
	t.Helper()
	a, b := loopback.Pair(t)
	type received struct {
		arrival *live.Arrival
		err     error
	}
	done := make(chan received, 1)
	go func() {
		arrival, err := live.Receive(context.Background(), b, to, opt)
		done <- received{arrival, err}
	}()
	res, stopped, err := live.Send(context.Background(), a, g, plan, nil)
	check(t, err)
	if !stopped || !g.quiesced {
		t.Fatal("the guest was not stopped")
	}
	got := <-done
	check(t, got.err)
	if res.Digest != got.arrival.Digest || res.Memory != got.arrival.Memory {
		t.Errorf("sent %+v\nreceived %+v", res.Memory, got.arrival.Memory)
	}
	if res.Later == nil && !bytes.Equal(g.mem, to) {
		t.Error("memory differs")
	}
	return res, got.arrival
}

const pages = 4096

func TestModes(t *testing.T) {
	tests := []struct {
		name  string
		hot   int
		pause time.Duration
		plan  live.Plan
		want  live.Mode
	}{
		{"idle", 0, time.Millisecond, live.Plan{MaxDowntime: 50 * time.Millisecond}, live.PreCopy},
		{"some writes", 50, 100 * time.Microsecond, live.Plan{Mode: live.PreCopy, MaxDowntime: 50 * time.Millisecond}, live.PreCopy},
		{"stop", 1000, 0, live.Plan{Mode: live.Stop}, live.Stop},
		{"writes everywhere", pages, 0, live.Plan{MaxDowntime: time.Microsecond}, live.PreCopy},
		{"writes everywhere, post-copy allowed", pages, 0, live.Plan{MaxDowntime: time.Microsecond, PostCopy: true, Link: 1e12}, live.Hybrid},
		{"post-copy", pages, 0, live.Plan{Mode: live.PostCopy, PostCopy: true}, live.PostCopy},
		{"hybrid", 100, 0, live.Plan{Mode: live.Hybrid, PostCopy: true}, live.Hybrid},
		{"limited", 20, time.Millisecond, live.Plan{Mode: live.PreCopy, Bandwidth: 64 << 20, Compress: statexfer.None}, live.PreCopy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest(t, pages, tt.hot, tt.pause)
			res, arrival := move(t, g, tt.plan, live.Options{Later: true}, memory(t, pages))
			t.Log(res.Why)
			if res.Mode != tt.want || res.Why == "" {
				t.Errorf("mode %v, want %v", res.Mode, tt.want)
			}
			if post := res.Mode == live.Hybrid || res.Mode == live.PostCopy; post != (res.Later != nil) || res.Later.Count() != arrival.Later.Count() {
				t.Errorf("%d pages left, the target knows of %d", res.Later.Count(), arrival.Later.Count())
			}
			if g.share != 0 {
				t.Errorf("still held back by %v", g.share)
			}
		})
	}
}

// A reader's pages are in the log, and do not change.
type reader struct{ *guest }

func (r reader) Dirty(set []uint64) error {
	for p := range uint64(pages * 3 / 4) {
		statexfer.Bitmap(set).Set(p)
	}
	return r.guest.Dirty(set)
}

// A guest that reads all over is not taken for one that writes faster than the link carries.
func TestChooseForReader(t *testing.T) {
	plan := live.Plan{PostCopy: true, Link: 1e6, MaxDowntime: time.Second}
	a, b := loopback.Pair(t)
	go live.Receive(context.Background(), b, memory(t, pages), live.Options{Later: true})
	res, _, err := live.Send(t.Context(), a, reader{newGuest(t, pages, 0, time.Millisecond)}, plan, nil)
	check(t, err)
	if res.Mode != live.PreCopy {
		t.Errorf("moved by %v: %s", res.Mode, res.Why)
	}
}

// A guest that nobody logs is stopped first.
func TestNoLog(t *testing.T) {
	g := newGuest(t, pages, 100, 0)
	g.noLog = errors.New("no log")
	if res, _ := move(t, g, live.Plan{Mode: live.PreCopy}, live.Options{}, memory(t, pages)); res.Mode != live.Stop {
		t.Errorf("mode %v", res.Mode)
	}
}

// A guest that comes back to where its memory is costs what it has changed.
func TestReturn(t *testing.T) {
	g := newGuest(t, pages, 40, 0)
	there := memory(t, pages)
	first, _ := move(t, g, live.Plan{Mode: live.Stop}, live.Options{}, there)
	g.run()
	for enough := false; !enough; {
		g.mu.Lock()
		enough = g.writes > 1000
		g.mu.Unlock()
	}
	again, _ := move(t, g, live.Plan{Mode: live.PreCopy}, live.Options{Kept: true}, there)
	if again.Memory.Base < pages/2 || again.Memory.WireBytes > first.Memory.WireBytes/10 {
		t.Errorf("first %+v\nagain %+v", first.Memory, again.Memory)
	}
}

// Whatever breaks, the guest runs or is said to be stopped, is not held back, and no log is
// kept of a guest that runs.
func TestCalledOff(t *testing.T) {
	reason := errors.New("changed my mind")
	for name, when := range map[string]func(live.Progress) bool{
		"at once":        func(live.Progress) bool { return true },
		"in the first":   func(p live.Progress) bool { return p.Memory.Sent > 0 },
		"when held back": func(p live.Progress) bool { return p.Throttle > 0 },
		"after two":      func(p live.Progress) bool { return p.Memory.Rounds > 1 },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t, pages, pages, 0)
			a, b := loopback.Pair(t)
			ctx, cancel := context.WithCancelCause(context.Background())
			received := make(chan error, 1)
			go func() {
				_, err := live.Receive(context.Background(), b, memory(t, pages), live.Options{})
				received <- err
			}()
			_, stopped, err := live.Send(ctx, a, g, live.Plan{Mode: live.PreCopy, MaxDowntime: time.Nanosecond}, func(p live.Progress) {
				if when(p) {
					cancel(reason)
				}
			})
			if !errors.Is(err, reason) || stopped != g.quiesced {
				t.Errorf("error %v, stopped %v, really %v", err, stopped, g.quiesced)
			}
			a.Close()
			if err := <-received; err == nil {
				t.Error("the target has all of it")
			}
			if g.logging && !stopped || g.share != 0 {
				t.Errorf("logging %v, held back %v", g.logging, g.share)
			}
		})
	}
}

// The target is cut off: the source says so and lets the guest run.
func TestTargetIsLost(t *testing.T) {
	g := newGuest(t, pages, pages, 0)
	a, b := loopback.Pair(t)
	go func() {
		_, err := b.Write(emptyOffer())
		if err == nil {
			_, err = b.Read(make([]byte, 1000))
		}
		b.Close()
	}()
	_, stopped, err := live.Send(context.Background(), a, g, live.Plan{Mode: live.PreCopy}, nil)
	if err == nil || stopped || g.quiesced || g.logging {
		t.Errorf("error %v, stopped %v, really %v, logging %v", err, stopped, g.quiesced, g.logging)
	}
}

func emptyOffer() []byte {
	var b bytes.Buffer
	if _, err := (*statexfer.Offer)(nil).WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}
