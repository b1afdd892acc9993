package kvm_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/kvm"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A vm is a whole guest on KVM, with its output.
type vm struct {
	*vmm.Guest
	out *output
}

// output collects what guests print, one after the other.
type output struct {
	mu     sync.Mutex
	text   [3]bytes.Buffer // by stream
	change chan struct{}   // something was printed
}

func (o *output) take(s vmm.Stream, p []byte) {
	o.mu.Lock()
	o.text[s].Write(p)
	o.mu.Unlock()
	select {
	case o.change <- struct{}{}:
	default:
	}
}

func (o *output) stream(s vmm.Stream) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text[s].String()
}

// await blocks until text was printed.
func (o *output) await(text string) {
	for !strings.Contains(o.stream(vmm.Stdout), text) {
		<-o.change
	}
}

func newOutput() *output { return &output{change: make(chan struct{}, 1)} }

func newVM(t *testing.T, out *output, resume bool, args ...string) *vm {
	t.Helper()
	p := program(t, "vmmtest", hostISA())
	g, err := vmm.New(vmm.Config{
		Spec:    vmm.Spec{Image: p.config, Build: p.build, Memory: vmmtest.Memory, Resume: resume},
		Args:    append([]string{"guest"}, args...),
		Machine: kvm.New,
		Output:  out.take,
	})
	check(t, err)
	t.Cleanup(func() { check(t, g.Close()) })
	return &vm{g, out}
}

func start(t *testing.T, args ...string) *vm {
	t.Helper()
	v := newVM(t, newOutput(), false, args...)
	check(t, v.Start(nil))
	return v
}

func (v *vm) wait() vmm.Exit {
	<-v.Done()
	return v.Exit()
}

func TestHello(t *testing.T) {
	needKVM(t)
	v := start(t, "hello")
	if e := v.wait(); e.Code != 7 || e.Crash != nil {
		t.Errorf("exit %+v %+v, want status 7", e, e.Crash)
	}
	if got, want := v.out.stream(vmm.Stdout), "hello from initial data\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got, want := v.out.stream(vmm.Stderr), "and an error\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

// A guest that moves between machines prints what it prints without.
func TestMove(t *testing.T) {
	needKVM(t)
	const points = "30000"
	still := start(t, "count", points)
	want := still.wait()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	moves := 0
	v := newVM(t, newOutput(), false, "count", points)
	v.LeaveAt(1 + random.Uint64N(2000))
	check(t, v.Start(nil))
	for {
		left, err := v.AwaitLeft(t.Context())
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		check(t, err)
		if random.IntN(3) == 0 {
			v.LeaveAt(1 + random.Uint64N(2000))
			check(t, v.Continue())
			continue
		}
		next := newVM(t, v.out, true)
		copy(next.Memory(), v.Memory())
		check(t, v.Close())
		next.LeaveAt(1 + random.Uint64N(2000))
		check(t, next.Start(left))
		v = next
		moves++
	}
	if got := v.wait(); got.Code != want.Code || got.Crash != nil {
		t.Errorf("exit %+v %+v, want %+v", got, got.Crash, want)
	}
	if got, want := v.out.stream(vmm.Stdout), still.out.stream(vmm.Stdout); got != want || want == "" || moves == 0 {
		t.Errorf("after %d moves the output differs: %d bytes, want %d", moves, len(got), len(want))
	}
}

// A guest that blocks can be moved, and ends when it should.
func TestMoveAsleep(t *testing.T) {
	needKVM(t)
	v := start(t, "sleep", "300")
	v.out.await("asleep")
	left, err := v.Quiesce(t.Context())
	check(t, err)
	to := newVM(t, v.out, true)
	copy(to.Memory(), v.Memory())
	check(t, v.Close())
	check(t, to.Start(left))
	v = to
	if e := v.wait(); e.Code != 0 || e.Crash != nil {
		t.Errorf("exit %+v %+v", e, e.Crash)
	}
	if got := v.out.stream(vmm.Stdout); got != "asleep\nawake\n" {
		t.Errorf("output %q", got)
	}
}

// A guest that never reaches a migration point can be ended.
func TestStopSpinning(t *testing.T) {
	needKVM(t)
	v := start(t, "spin")
	v.out.await("spinning")
	v.Stop(10 * time.Millisecond)
	if e := v.wait(); e.Signal != int(unix.SIGKILL) {
		t.Errorf("exit %+v, want SIGKILL", e)
	}
}

func TestCrash(t *testing.T) {
	needKVM(t)
	v := start(t, "crash", "null")
	e := v.wait()
	if e.Code != 128+int(unix.SIGSEGV) || e.Crash == nil {
		t.Fatalf("exit %+v", e)
	}
	if c := e.Crash; c.Message != "null pointer" || len(c.Backtrace) == 0 || c.Backtrace[0].Function != "crash_null" {
		t.Errorf("crash %+v", c)
	}
}
