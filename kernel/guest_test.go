package kernel_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
)

// patience bounds what should take moments.
const patience = 2 * time.Minute

var program = sync.OnceValues(func() (*image.Image, error) {
	dir, err := filepath.Abs("../build/kernel")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "guest_test.img")
	err = toolchain.Build(context.Background(), toolchain.Options{
		Sources: []string{"testdata/guest/main.c"},
		CFlags:  []string{"-O2"},
		Output:  path,
		Builds:  toolchain.OnePerISA,
	})
	if err != nil {
		return nil, err
	}
	return image.Open(path)
})

// A host is one machine with the program on it, doing one case.
type host struct {
	*vmm.Guest
	out *output
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	logs []string
	more chan struct{}
}

// newHost makes a machine for build n of the program.
func newHost(t *testing.T, n int, resume bool, out *output, name string) *host {
	t.Helper()
	m, err := program()
	if err != nil {
		t.Fatal(err)
	}
	g, err := vmm.New(vmm.Config{
		Spec: vmm.Spec{Image: m.Config(), Build: m.Builds()[n], Memory: 24 << 20, Resume: resume},
		Args: []string{"guest", name},
		Output: func(_ vmm.Stream, p []byte) {
			out.mu.Lock()
			defer out.mu.Unlock()
			out.text.Write(p)
			select {
			case out.more <- struct{}{}:
			default:
			}
		},
		Log: func(msg string) {
			out.mu.Lock()
			defer out.mu.Unlock()
			out.logs = append(out.logs, msg)
		},
		Machine: tender.New,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return &host{g, out}
}

func start(t *testing.T, name string) *host {
	t.Helper()
	h := newHost(t, 0, false, &output{more: make(chan struct{}, 1)}, name)
	if err := h.Start(nil); err != nil {
		t.Fatal(err)
	}
	return h
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await returns once the guest has printed text.
func (h *host) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(h.out.String(), text) {
		select {
		case <-h.out.more:
		case <-h.Done():
			if !strings.Contains(h.out.String(), text) {
				t.Fatalf("ended with %+v and %q before it said %q", h.Exit(), h.out, text)
			}
		case <-deadline:
			t.Fatalf("said %q and not %q", h.out, text)
		}
	}
}

func (h *host) quiesce(t *testing.T) *vmm.Left {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	left, err := h.Quiesce(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if left.Threads == 0 {
		t.Fatalf("left %+v", left)
	}
	return left
}

// moved is the guest on build n, as of left.
func (h *host) moved(t *testing.T, n int, left *vmm.Left) *host {
	t.Helper()
	to := newHost(t, n, true, h.out, "")
	copy(to.Memory(), h.Memory())
	if err := to.Start(left); err != nil {
		t.Fatal(err)
	}
	return to
}

// ends checks how the guest ends.
func (h *host) ends(t *testing.T, code, signal int, text string) {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(patience):
		t.Fatalf("still runs, having said %q", h.out)
	}
	if e := h.Exit(); e.Code != code || e.Signal != signal {
		t.Errorf("exit %d, signal %d, crash %v; want %d, %d", e.Code, e.Signal, e.Crash, code, signal)
	}
	if h.out.String() != text {
		t.Errorf("said %q, want %q", h.out, text)
	}
}

// A sleeper sleeps for what is left: an hour on the way is more than its half hour.
func TestSleepOverMove(t *testing.T) {
	h := start(t, "sleeper")
	h.await(t, "asleep")
	left := h.quiesce(t)
	if left.Threads != 1 || left.Frames == 0 {
		t.Errorf("left %+v", left)
	}
	again := h.moved(t, 1, left).quiesce(t) // still asleep, and so with no frames on a stack
	if again.Threads != 1 || again.Frames != 0 {
		t.Errorf("left again %+v", again)
	}
	again.Wall = again.Wall.Add(-time.Hour)
	h.moved(t, 1, again).ends(t, 0, 0, "asleep\nslept\n")
}

func TestInputOverMove(t *testing.T) {
	h := start(t, "reader")
	h.await(t, "waiting")
	to := h.moved(t, 1, h.quiesce(t))
	if _, err := to.Input().Write([]byte("one\ntwo\nthr")); err != nil {
		t.Fatal(err)
	}
	to.await(t, "got two\n")
	back := to.moved(t, 0, to.quiesce(t))
	if _, err := back.Input().Write([]byte("ee\n")); err != nil {
		t.Fatal(err)
	}
	if err := back.Input().Close(); err != nil {
		t.Fatal(err)
	}
	back.ends(t, 4, 0, "waiting\ngot one\ngot two\ngot three\n")
}

// A backtrace goes on behind what has come back to the machine stack since a move.
func TestCrashAfterMove(t *testing.T) {
	for build := range 2 {
		h := start(t, "fall")
		h.await(t, "waiting")
		left := h.quiesce(t)
		left.Wall = left.Wall.Add(-time.Hour)
		to := h.moved(t, build, left)
		to.ends(t, 139, 11, "waiting\n")
		crash := to.Exit().Crash
		if crash == nil {
			t.Fatal("no crash")
		}
		var chain []string
		for _, f := range crash.Backtrace {
			chain = append(chain, f.Function)
			if f.Function == "goes" && !strings.HasSuffix(f.File, "guest/main.c") {
				t.Errorf("goes is in %q", f.File)
			}
		}
		want := "waits_and_falls goes_down goes_down goes_down goes_down goes main"
		if !strings.Contains(strings.Join(chain, " "), want) {
			t.Errorf("the backtrace is\n%v\nwant %s in it", crash, want)
		}
	}
}

// A move that is called off leaves no trace.
func TestCalledOff(t *testing.T) {
	plain := start(t, "worker")
	<-plain.Done()
	h := start(t, "worker")
	h.await(t, "working")
	for range 5 {
		h.quiesce(t)
		if err := h.Continue(); err != nil {
			t.Fatal(err)
		}
	}
	h.ends(t, 0, 0, plain.out.String())
}

func TestHandledStop(t *testing.T) {
	h := start(t, "handler")
	h.await(t, "ready")
	h.Stop(patience)
	h.ends(t, 7, 0, "ready\nsignal 15\n")
}

func TestStop(t *testing.T) {
	h := start(t, "sleeper")
	h.await(t, "asleep")
	h.Stop(patience)
	h.ends(t, 143, 15, "asleep\n")
}

// Calls that are not there fail, and are named in the log once.
func TestUnsupported(t *testing.T) {
	h := start(t, "unsupported")
	h.ends(t, 0, 0, "")
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	if len(h.out.logs) != 2 || !strings.Contains(h.out.logs[0], "fork is not supported") ||
		!strings.Contains(h.out.logs[1], "system call 221 (execve) is not supported") {
		t.Errorf("log %q", h.out.logs)
	}
}

// Threads that compute, sleep, wait for each other and for input all move, often.
func TestThreadsOverMove(t *testing.T) {
	h := start(t, "crowd")
	h.await(t, "all there")
	for n := range 6 {
		left := h.quiesce(t)
		if left.Threads != 6 {
			t.Fatalf("left %+v, want 6 threads", left)
		}
		if n%3 == 1 {
			if err := h.Continue(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		h = h.moved(t, (n+1)%2, left)
	}
	if _, err := h.Input().Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	h.await(t, "computed\n")
	left := h.quiesce(t)
	left.Wall = left.Wall.Add(-time.Hour)
	h.moved(t, 0, left).ends(t, 0, 0, "all there\nread a line\ncomputed too\ncomputed\nwaited\nslept\n")
}

func TestEnds(t *testing.T) {
	tests := []struct {
		name         string
		code, signal int
		text         string
		crash        string // in its message
	}{
		{"hungry", 0, 0, "some, and back\n", ""},
		{"abort", 134, 6, "", "called abort()"},
		{"raise", 136, 8, "", "raised SIGFPE"},
		{"term", 143, 15, "", ""},
		{"null", 139, 11, "", "null pointer"},
		{"recurse", 139, 11, "", "stack overflow"},
		{"user", 138, 10, "", ""},
		{"alarm", 142, 14, "", ""},
		{"slices", 0, 0, "10 turns\n", ""},
		{"many", 0, 0, "255 and 255\n", ""},
		{"exit in a thread", 5, 0, "", ""},
		{"recurse in a thread", 139, 11, "", "stack overflow of thread 1"},
		{"overflow in a thread", 139, 11, "", "stack overflow"},
		{"tower in a thread", 139, 11, "", "stack overflow"},
		{"large array in a thread", 139, 11, "", "stack overflow"},
		{"array of any length in a thread", 139, 11, "", "stack overflow"},
		{"array over all that is below", 139, 11, "", "stack overflow"},
		{"no such case", 99, 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := start(t, tt.name)
			h.ends(t, tt.code, tt.signal, tt.text)
			crash := h.Exit().Crash
			if (crash != nil) != (tt.crash != "") || crash != nil && !strings.Contains(crash.Message, tt.crash) {
				t.Errorf("crash %+v, want %q", crash, tt.crash)
			}
		})
	}
}
