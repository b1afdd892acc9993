package vmm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func TestFlood(t *testing.T) {
	b := newBench(t)
	for _, a := range isas {
		c := newConsole()
		g := b.start(t, a, c, "flood", "50000")
		if e := wait(t, g); e.Code != 0 {
			t.Errorf("%s: status %d", a.Name, e.Code)
		}
		lines := strings.Split(strings.TrimSuffix(c.stdout(), "\n"), "\n")
		if len(lines) != 50000 || lines[0] != "0" || lines[49999] != "49999" {
			t.Errorf("%s: %d lines from %q to %q", a.Name, len(lines), lines[0], lines[len(lines)-1])
		}
	}
}

// TestMoves moves a guest at points given by LeaveAt through machines of both ISAs.
func TestMoves(t *testing.T) {
	b := newBench(t)
	plain := newConsole()
	want := wait(t, b.start(t, isa.X86_64, plain, "count", "3000"))
	if plain.stdout() == "" {
		t.Fatal("reference is empty")
	}
	moved := newConsole()
	g := b.guest(t, isa.X86_64, moved, false, "count", "3000")
	moves := 0
	for g.LeaveAt(700); ; moves++ {
		from := (*vmm.Left)(nil)
		if moves == 0 {
			check(t, g.Start(from))
		}
		left, err := g.AwaitLeft(context.Background())
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		check(t, err)
		if n := g.Points(); n != 700 {
			t.Errorf("left at point %d, want 700", n)
		}
		if left.Threads != 1 || left.Frames != 1 || left.Bytes != 8 {
			t.Errorf("left %+v", left)
		}
		next := b.guest(t, isas[(moves+1)%2], moved, true)
		copy(next.Memory(), g.Memory())
		check(t, g.Close())
		next.LeaveAt(700)
		check(t, next.Start(left))
		g = next
	}
	if moves != 4 {
		t.Errorf("%d moves, want 4", moves)
	}
	if got := wait(t, g); got != want {
		t.Errorf("exit %+v, unmoved %+v", got, want)
	}
	if moved.stdout() != plain.stdout() {
		t.Errorf("output differs:\n%s\nunmoved:\n%s", moved.stdout(), plain.stdout())
	}
	if g.Resumed().IsZero() {
		t.Error("never resumed")
	}
}

// TestReturn moves memory to another machine and back into the one where it left.
func TestReturn(t *testing.T) {
	b := newBench(t)
	plain, moved := newConsole(), newConsole()
	want := wait(t, b.start(t, isa.X86_64, plain, "count", "1000"))
	home := b.guest(t, isa.X86_64, moved, false, "count", "1000")
	away := b.guest(t, isa.AArch64, moved, true)
	at, other := home, away
	home.LeaveAt(10)
	away.LeaveAt(10)
	check(t, home.Start(nil))
	moves := 0
	for ; ; moves++ {
		left, err := at.AwaitLeft(context.Background())
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		check(t, err)
		copy(other.Memory(), at.Memory())
		check(t, other.Start(left))
		at, other = other, at
	}
	if moves != 100 {
		t.Errorf("%d moves, want 100", moves)
	}
	if got := wait(t, at); got != want || moved.stdout() != plain.stdout() {
		t.Errorf("exit %+v, unmoved %+v; output\n%s\nunmoved\n%s", got, want, moved.stdout(), plain.stdout())
	}
}

// TestCalledOff quiesces again and again a guest that then goes on where it was.
func TestCalledOff(t *testing.T) {
	b := newBench(t)
	for _, a := range isas {
		plain, disturbed := newConsole(), newConsole()
		want := wait(t, b.start(t, a, plain, "count", "200000"))
		g := b.start(t, a, disturbed, "count", "200000")
		n := 0
		for ; n < 300; n++ {
			left, err := g.Quiesce(context.Background())
			if errors.Is(err, vmm.ErrExited) {
				break
			}
			check(t, err)
			if left.Quiesce <= 0 {
				t.Errorf("quiesced in %v", left.Quiesce)
			}
			if _, err := g.Quiesce(context.Background()); err == nil {
				t.Error("a quiesced guest was quiesced")
			}
			check(t, g.Continue())
		}
		if n == 0 {
			t.Errorf("%s: ended before it was quiesced once", a.Name)
		}
		if got := wait(t, g); got != want || disturbed.stdout() != plain.stdout() {
			t.Errorf("%s: %+v, undisturbed %+v, %d times quiesced", a.Name, got, want, n)
		}
		if err := g.Continue(); !errors.Is(err, vmm.ErrExited) {
			t.Errorf("continue after the end: %v", err)
		}
	}
}

// TestQuiesceTimeout gives up on a guest that reaches no migration point.
func TestQuiesceTimeout(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	g := b.start(t, isa.X86_64, c, "spin")
	c.await("spinning")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := g.Quiesce(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("quiesce: %v, want canceled", err)
	}
	g.Stop(0)
	if e := wait(t, g); e.Code != 137 || e.Signal != 9 {
		t.Errorf("exit %+v, want killed", e)
	}
}

func TestStop(t *testing.T) {
	b := newBench(t)
	for _, mode := range []string{"spin-politely", "sleep"} {
		c := newConsole()
		g := b.start(t, isa.X86_64, c, mode, "1000000000")
		if mode == "sleep" {
			c.await("asleep")
		}
		g.Stop(time.Hour)
		if e := wait(t, g); e.Code != 128+15 || e.Signal != 15 {
			t.Errorf("%s: exit %+v, want terminated", mode, e)
		}
	}
}

func TestCloseEndsGuest(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	running := b.start(t, isa.X86_64, c, "spin")
	c.await("spinning")
	parked := b.start(t, isa.X86_64, newConsole(), "spin-politely")
	quiesce(t, parked)
	fresh := b.guest(t, isa.X86_64, newConsole(), false, "hello")
	for _, g := range []*vmm.Guest{running, parked, fresh} {
		check(t, g.Close())
		check(t, g.Close())
		if e := wait(t, g); e.Code != 137 {
			t.Errorf("exit %+v, want killed", e)
		}
		if err := g.Start(nil); !errors.Is(err, vmm.ErrExited) {
			t.Errorf("start after close: %v", err)
		}
		if _, err := g.Quiesce(context.Background()); !errors.Is(err, vmm.ErrExited) {
			t.Errorf("quiesce after close: %v", err)
		}
		want := vmm.ErrExited
		if g == parked { // it may be elsewhere by now
			want = vmm.ErrLeft
		}
		if _, err := g.Input().Write([]byte("x")); !errors.Is(err, want) {
			t.Errorf("write after close: %v, want %v", err, want)
		}
		if g.Points() != 0 {
			t.Error("points after close")
		}
		g.Input().Close()
		g.Stop(0)
	}
}

// TestInput feeds more than a ring, and moves in the middle of it.
func TestInput(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	var text strings.Builder
	for text.Len() < 300_000 {
		text.WriteString("a line of input, and not the last one\n")
	}
	g := b.start(t, isa.X86_64, c, "cat")
	rest := []byte(text.String())
	half := make(chan struct{})
	var halfway sync.Once
	feed := func(g *vmm.Guest) <-chan error {
		done := make(chan error, 1)
		go func() {
			for len(rest) > 0 {
				n, err := g.Input().Write(rest[:min(len(rest), 777)])
				rest = rest[n:]
				if len(rest) < 150_000 {
					halfway.Do(func() { close(half) })
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- g.Input().Close()
		}()
		return done
	}
	fed := feed(g)
	<-half
	left := quiesce(t, g)
	if err := <-fed; !errors.Is(err, vmm.ErrLeft) {
		t.Fatalf("writing to a guest that left: %v", err)
	}
	g = b.move(t, g, left, isa.AArch64, c)
	check(t, <-feed(g))
	if e := wait(t, g); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	if c.stdout() != text.String() {
		t.Errorf("%d bytes came back of %d", len(c.stdout()), text.Len())
	}
}

// TestUnreadInput moves a guest that was never given the time to read.
func TestUnreadInput(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	g := b.guest(t, isa.X86_64, c, false, "cat")
	g.LeaveAt(1)
	if _, err := io.WriteString(g.Input(), "for the next machine\n"); err != nil {
		t.Fatal(err)
	}
	check(t, g.Input().Close())
	check(t, g.Start(nil))
	left, err := g.AwaitLeft(context.Background())
	check(t, err)
	if string(left.Input) != "for the next machine\n" || !left.InputEOF {
		t.Errorf("unread %q, at the end %v", left.Input, left.InputEOF)
	}
	g = b.move(t, g, left, isa.AArch64, c)
	if e := wait(t, g); e.Code != 0 || c.stdout() != "for the next machine\n" {
		t.Errorf("exit %+v, output %q", e, c.stdout())
	}
}

// TestSleep moves a guest that sleeps: it still sleeps, and no longer than it was to.
func TestSleep(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	const asleep = 300 * time.Millisecond
	begin := time.Now()
	g := b.start(t, isa.X86_64, c, "sleep", "300")
	c.await("asleep")
	left := quiesce(t, g)
	g = b.move(t, g, left, isa.AArch64, c)
	if e := wait(t, g); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	if d := time.Since(begin); d < asleep {
		t.Errorf("slept %v, want at least %v", d, asleep)
	}
	if c.stdout() != "asleep\nawake\n" {
		t.Errorf("output %q", c.stdout())
	}
}

func TestLog(t *testing.T) {
	b := newBench(t)
	c := newConsole()
	wait(t, b.start(t, isa.X86_64, c, "log"))
	if len(c.log) != 1 || c.log[0] != "a word to the operator" {
		t.Errorf("log %q", c.log)
	}
}

func TestMisbehaviour(t *testing.T) {
	b := newBench(t)
	for how, want := range map[string]string{
		"head":      "bytes ahead of tail",
		"frame":     "frame of 16384 bytes",
		"stream":    "for stream 9",
		"operation": "unknown doorbell operation 1234",
		"tail":      "is not behind head",
	} {
		g := b.start(t, isa.X86_64, newConsole(), "misbehave", how)
		if how == "tail" { // found when something is written
			go func() {
				for {
					if _, err := g.Input().Write([]byte("x")); err != nil {
						return
					}
				}
			}()
		}
		e := wait(t, g)
		if e.Code != 137 || e.Crash == nil || !strings.Contains(e.Crash.Message, want) {
			t.Errorf("%s: exit %+v %+v, want a message with %q", how, e, e.Crash, want)
		}
	}
	c := newConsole()
	g := b.start(t, isa.X86_64, c, "misbehave", "message")
	g.Stop(100 * time.Millisecond)
	wait(t, g)
	if len(c.log) != 1 || !strings.Contains(c.log[0], "not readable") {
		t.Errorf("log %q", c.log)
	}
}

func TestRefused(t *testing.T) {
	b := newBench(t)
	good := vmm.Config{
		Spec:    vmm.Spec{Image: b.config, Build: b.builds[isa.X86_64], Memory: vmmtest.Memory},
		Machine: tender.New,
	}
	other := *b.config
	other.ABI++
	cut := *b.builds[isa.X86_64]
	cut.Exec = cut.Exec[:len(cut.Exec)/2]
	for want, change := range map[string]func(*vmm.Config){
		"contract":         func(c *vmm.Config) { c.Image = &other },
		"multiple of 4096": func(c *vmm.Config) { c.Memory = 12345 },
		"give it more":     func(c *vmm.Config) { c.Memory = 4096 },
		"too small":        func(c *vmm.Config) { c.Files = []vmm.File{{Path: "/big", Data: make([]byte, vmmtest.Memory)}} },
		"must be absolute": func(c *vmm.Config) { c.Files = []vmm.File{{Path: "a/../b"}} },
		"read the build":   func(c *vmm.Config) { c.Build = &cut },
		"needs an image":   func(c *vmm.Config) { c.Image = nil },
	} {
		c := good
		change(&c)
		if g, err := vmm.New(c); err == nil {
			g.Close()
			t.Errorf("made a guest; want an error with %q", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q in it", err, want)
		}
	}
	g := b.guest(t, isa.X86_64, newConsole(), true)
	if err := g.Start(nil); err == nil {
		t.Error("a guest made to resume was started")
	}
}
