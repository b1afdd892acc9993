package console

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/vmm"
)

func TestFrames(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 3*maxPayload+1)
	b := AppendFrames(nil, vmm.Stdout, []byte("out"))
	b = AppendFrames(b, vmm.Stderr, long)
	got := map[vmm.Stream][]byte{}
	frames := 0
	err := Each(b, func(s vmm.Stream, p []byte) error {
		got[s] = append(got[s], p...)
		frames++
		return nil
	})
	if err != nil || frames != 5 || string(got[vmm.Stdout]) != "out" || !bytes.Equal(got[vmm.Stderr], long) {
		t.Errorf("%d frames, %v", frames, err)
	}
	if err := Each(b[:len(b)-1], func(vmm.Stream, []byte) error { return nil }); err == nil {
		t.Error("a frame that is cut off was taken for whole")
	}
}

// FuzzFrames: whole frames of anything survive a round trip through Each and AppendFrames.
func FuzzFrames(f *testing.F) {
	f.Add(AppendFrames(nil, vmm.Stdout, []byte("hello")))
	f.Add(binary.LittleEndian.AppendUint32(nil, 3<<24|1))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := WholeFrames(b)
		if err != nil {
			return
		}
		var again []byte
		err = Each(b[:whole], func(s vmm.Stream, p []byte) error {
			again = AppendFrames(again, s, p)
			return nil
		})
		if err != nil || !bytes.Equal(again, b[:whole]) {
			t.Errorf("%x became %x, %v", b[:whole], again, err)
		}
	})
}

func open(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// readAll reads a log to where it ends, or to what is there.
func readAll(t *testing.T, l *Log, follow bool) string {
	t.Helper()
	var text []byte
	for offset := int64(0); ; {
		frames, err := l.Read(t.Context(), offset, follow)
		if errors.Is(err, io.EOF) {
			return string(text)
		}
		must(t, err)
		must(t, Each(frames, func(_ vmm.Stream, p []byte) error {
			text = append(text, p...)
			return nil
		}))
		offset += int64(len(frames))
	}
}

// TestStaysArriveLate: home's own second stay prints before the log of the stay between has
// come; readers see all in order.
func TestStaysArriveLate(t *testing.T) {
	l := open(t, t.TempDir())
	first := AppendFrames(nil, vmm.Stdout, []byte("one "))
	away := AppendFrames(nil, vmm.Stderr, []byte("two "))
	last := AppendFrames(nil, vmm.Stdout, []byte("three"))
	end1 := int64(len(first))
	end2 := end1 + int64(len(away))
	must(t, l.Begin(0, 0))
	must(t, l.Write(0, first))
	must(t, l.Finish(0, end1))
	must(t, l.Begin(1, end1))
	must(t, l.Finish(1, end2))
	must(t, l.Begin(2, end2))
	must(t, l.Write(2, last))
	if got := readAll(t, l, false); got != "one " {
		t.Errorf("before the log of the stay between: %q", got)
	}
	done := make(chan string)
	go func() { done <- readAll(t, l, true) }()
	must(t, l.Append(1, end1, away))
	must(t, l.Finish(2, end2+int64(len(last))))
	l.End()
	if got := <-done; got != "one two three" {
		t.Errorf("got %q", got)
	}
}

func TestLogRefuses(t *testing.T) {
	l := open(t, t.TempDir())
	frames := AppendFrames(nil, vmm.Stdout, []byte("text"))
	n := int64(len(frames))
	must(t, l.Begin(0, 0))
	for name, err := range map[string]error{
		"a gap":             l.Append(0, 1, frames),
		"half a frame":      l.Append(0, 0, frames[:n-1]),
		"no frame":          l.Append(0, 0, []byte{1, 2, 3, 4, 5}),
		"an unknown stay":   l.Append(7, 0, frames),
		"a stay twice":      l.Begin(0, 0),
		"two stays at once": l.Begin(1, 0),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	must(t, l.Append(0, 0, frames))
	must(t, l.Finish(0, n))
	if l.Append(0, n, frames) == nil {
		t.Error("more than the stay's end was accepted")
	}
	if l.Finish(0, n-1) == nil {
		t.Error("an end before what is there was accepted")
	}
	must(t, l.Reopen(0))
	must(t, l.Append(0, n, frames))
	if _, err := l.Read(t.Context(), 1, false); err == nil {
		t.Error("an offset within a frame was accepted")
	}
}

// TestTornFrame: what a crash left half-written is cut off.
func TestTornFrame(t *testing.T) {
	dir := t.TempDir()
	frames := AppendFrames(nil, vmm.Stdout, bytes.Repeat([]byte("y"), 100000))
	must(t, os.WriteFile(filepath.Join(dir, "0.log"), append(frames, frames[:50]...), 0o600))
	l := open(t, dir)
	must(t, l.Begin(0, 0))
	if next, err := l.Next(0); err != nil || next != int64(len(frames)) {
		t.Errorf("goes on at %d, %v, want %d", next, err, len(frames))
	}
}

func TestReadStops(t *testing.T) {
	l := open(t, t.TempDir())
	must(t, l.Begin(0, 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Read(ctx, 0, true); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestInputResumes feeds guests that take different amounts and forget what they had not
// acknowledged; all arrives once.
func TestInputResumes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	in := NewInput()
	want := make([]byte, 3*maxPending)
	for i := range want {
		want[i] = byte(rng.Uint32())
	}
	go func() {
		for at := 0; at < len(want); at = min(len(want), at+7777) {
			again := max(0, at-1000) // whoever gives it does not know what came last
			if in.Write(context.Background(), int64(again), want[again:min(len(want), at+7777)]) != nil {
				return
			}
		}
		in.CloseWrite()
	}()
	var got []byte
	for {
		p, err := in.Read(t.Context(), int64(len(got)))
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		taken := rng.IntN(len(p) + 1)
		got = append(got, p[:taken]...)
		in.Accept(int64(len(got)))
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	if err := in.Write(t.Context(), int64(len(want)), []byte("x")); !errors.Is(err, ErrInputClosed) {
		t.Errorf("write behind the end: %v", err)
	}
	if _, err := in.Read(t.Context(), 0); err == nil {
		t.Error("input that the guest has was given again")
	}
}

// TestInputOfAnEarlierDaemon: nothing is taken before the guest has said what it has, and then
// what it has is left out.
func TestInputOfAnEarlierDaemon(t *testing.T) {
	in := ResumeInput()
	written := make(chan error)
	go func() { written <- in.Write(t.Context(), 3, []byte("defgh")) }()
	in.Accept(5)
	must(t, <-written)
	if at, err := in.Accepted(t.Context(), -1); at != 5 || err != nil {
		t.Errorf("the guest has %d, %v", at, err)
	}
	if p, err := in.Read(t.Context(), 5); string(p) != "fgh" || err != nil {
		t.Errorf("it is given %q, %v", p, err)
	}
	if in.Write(t.Context(), 9, []byte("j")) == nil {
		t.Error("input behind a gap was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Accepted(ctx, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("the guest has more: %v", err)
	}
}
