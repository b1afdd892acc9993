package vmproc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/console"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/kvm"
	"github.com/migrated/migrated/vmm/kvm/kvmtest"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// oldProgram is the command for a process as a daemon before this one would have started it.
const oldProgram = "old-vm"

// The test's program is what a VM's process runs too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "vm" || os.Args[1] == oldProgram) {
		if os.Args[1] == oldProgram {
			spoken--
		}
		if err := Serve(kvm.Open, len(os.Args) > 2); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience bounds waiting for what must come; reaching it is a failure.
const patience = 30 * time.Second

// A daemon is a launcher whose processes end with the test.
type daemon struct {
	*Launcher
	t   *testing.T
	dir string
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	if cannotConfine != "" {
		t.Skip(cannotConfine)
	}
	kvmtest.Need(t)
	d := &daemon{t: t, dir: t.TempDir()}
	d.start()
	return d
}

// start makes the launcher of a first or a later daemon.
func (d *daemon) start() {
	d.t.Helper()
	leased, lease, err := os.Pipe()
	check(d.t, err)
	d.t.Cleanup(func() { lease.Close(); leased.Close() })
	d.Launcher, err = NewLauncher(LauncherConfig{
		Dir: filepath.Join(d.dir, "vms"), Lease: leased, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	check(d.t, err)
	_, err = d.Left()
	check(d.t, err)
	l := d.Launcher
	d.t.Cleanup(func() { l.Close() })
}

var guest struct {
	sync.Once
	config []byte
	build  *image.Build
}

// make makes a guest of vmmtest's image.
func (d *daemon) make(id string, resume bool, args ...string) VM {
	d.t.Helper()
	d.image()
	vm, err := d.Make(d.t.Context(), &Spec{
		ID: id, Image: guest.config, Build: guest.build, Memory: vmmtest.Memory, Resume: resume, Args: append([]string{"guest"}, args...),
	}, Hooks{})
	check(d.t, err)
	d.t.Cleanup(func() { vm.Close() })
	return vm
}

// makeFor makes a guest that a VM is to move into, which may have been here.
func (d *daemon) makeFor(id string, kept Kept) VM {
	d.t.Helper()
	d.image()
	vm, err := d.Make(d.t.Context(), &Spec{
		ID: id, Image: guest.config, Build: guest.build, Memory: vmmtest.Memory, Resume: true, Kept: kept,
	}, Hooks{})
	check(d.t, err)
	d.t.Cleanup(func() { vm.Close() })
	return vm
}

// image makes vmmtest's image, once.
func (d *daemon) image() {
	d.t.Helper()
	guest.Do(func() {
		cfg, builds := vmmtest.Guest(d.t, isa.ByName(hostISA()))
		cfg.StaticEnd = (cfg.StaticEnd + 4095) &^ 4095
		cfg.SiteTable = cfg.LayoutHash
		var err error
		guest.config, err = json.Marshal(cfg)
		check(d.t, err)
		guest.build = builds[0]
	})
}

func hostISA() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Machine[:])
}

// log opens a VM's log as a daemon does.
func (d *daemon) log(id string) *os.File {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, id+".log"), os.O_WRONLY|os.O_CREATE, 0o600)
	check(d.t, err)
	d.t.Cleanup(func() { f.Close() })
	return f
}

// run makes a guest and lets it go.
func (d *daemon) run(id string, args ...string) VM {
	d.t.Helper()
	vm := d.make(id, false, args...)
	check(d.t, vm.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: id}}, d.log(id)))
	check(d.t, vm.Go(time.Time{}))
	return vm
}

// output is what is in a VM's log.
func (d *daemon) output(id string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, id+".log"))
	check(d.t, err)
	var s strings.Builder
	check(d.t, console.Each(b, func(_ vmm.Stream, p []byte) error {
		s.Write(p)
		return nil
	}))
	return s.String()
}

func (d *daemon) await(what string, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func ended(t *testing.T, vm VM) *pb.ProcessEnded {
	t.Helper()
	select {
	case <-vm.Done():
		return vm.Ended()
	case <-time.After(patience):
		t.Fatal("the guest does not end")
		return nil
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dirs lists the directories of processes, but those that are kept ready.
func (d *daemon) dirs() []string {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, "vms"))
	check(d.t, err)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), sparePrefix) {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestRun(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "hello")
	if e := ended(t, vm); e.GetExit().GetCode() != 7 || e.LogEnd == 0 {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("a"); got != "hello from initial data\nand an error\n" {
		t.Errorf("output %q", got)
	}
	check(t, vm.Close())
	if left := d.dirs(); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A guest goes on while no daemon runs, and the next daemon gives it the rest of its input,
// of which it may give a part again.
func TestTakeOver(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "cat")
	n, err := vm.Input(t.Context(), 0, []byte("one "), false)
	if n != 4 || err != nil {
		t.Fatalf("accepted %d, %v", n, err)
	}
	d.Close()
	vm.Leave()
	d.await("output without a daemon", func() bool { return d.output("a") == "one " })
	d.start()
	next, err := d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	s := next.Status()
	if s.State != pb.ProcessState_PROCESS_STATE_RUNNING || s.Vm.GetId() != "a" || s.InputAccepted != 4 || s.InputEof || s.LogEnd != 8 {
		t.Errorf("status %v", s)
	}
	if n, err := next.Input(t.Context(), 2, []byte("e two"), true); n != 7 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if e := ended(t, next); e.GetExit().GetCode() != 0 {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("a"); got != "one two" {
		t.Errorf("output %q", got)
	}
}

// How a guest ended that had no daemon is kept until there is one.
func TestEndsAlone(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "sleep", "20")
	vm.Leave()
	d.await("the end", func() bool { return strings.HasSuffix(d.output("a"), "awake\n") })
	for range 2 { // a daemon may die before it has written that down
		next, err := d.TakeOver(t.Context(), "a", 0, Hooks{})
		check(t, err)
		if e := ended(t, next); e.GetExit() == nil || e.LogEnd != int64(len("asleep\nawake\n"))+8 {
			t.Errorf("ended with %v", e)
		}
		next.Leave()
	}
	next, err := d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	check(t, next.Close())
	if _, err := d.TakeOver(t.Context(), "a", 0, Hooks{}); !errors.Is(err, ErrGone) {
		t.Errorf("a process that has ended: %v", err)
	}
}

// A process that no daemon counts on yet ends with its daemon. One that is armed does not.
func TestArmedOutlivesItsDaemon(t *testing.T) {
	d := newDaemon(t)
	d.make("made", false, "hello").Leave()
	armed := d.make("armed", false, "hello")
	check(t, armed.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "armed"}}, d.log("armed")))
	armed.Leave()
	d.await("the one that was made has ended", func() bool {
		_, err := d.TakeOver(t.Context(), "made", 0, Hooks{})
		return errors.Is(err, ErrGone)
	})
	vm, err := d.TakeOver(t.Context(), "armed", 0, Hooks{})
	check(t, err)
	if s := vm.Status(); s.State != pb.ProcessState_PROCESS_STATE_ARMED {
		t.Errorf("status %v", s)
	}
	check(t, vm.Go(time.Time{}))
	if e := ended(t, vm); e.GetExit().GetCode() != 7 {
		t.Errorf("ended with %v", e)
	}
}

func TestKilled(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "sleep", "100000")
	vm.(*Process).kill()
	if e := ended(t, vm); e != nil {
		t.Errorf("a process that was killed says %v", e)
	}
	if err := vm.Continue(); !errors.Is(err, ErrGone) {
		t.Errorf("asked afterwards: %v", err)
	}
}

// pipes are the streams of a move between two processes here.
type pipes struct {
	mu   sync.Mutex
	ends map[uint8]net.Conn
}

func (p *pipes) Open(_ context.Context, number uint8) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.ends[number]; c != nil {
		delete(p.ends, number)
		return c, nil
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	other, err := unixConn(theirs)
	p.ends[number] = other
	return ours, err
}

func sendOptions() *pb.SendOptions {
	return &pb.SendOptions{QuiesceTimeout: durationpb.New(patience), StallTimeout: durationpb.New(patience)}
}

func receiveOptions() *pb.ReceiveOptions {
	return &pb.ReceiveOptions{StallTimeout: durationpb.New(patience), FirstTimeout: durationpb.New(patience)}
}

// A guest moves from one process to another and ends as one that did not.
func TestMove(t *testing.T) {
	t.Run("stop", func(t *testing.T) {
		testMove(t, pb.MoveKind_MOVE_KIND_STOP, pb.MovePhase_MOVE_PHASE_QUIESCE)
	})
	t.Run("precopy", func(t *testing.T) {
		testMove(t, pb.MoveKind_MOVE_KIND_PRECOPY, pb.MovePhase_MOVE_PHASE_COPY)
	})
	t.Run("postcopy", func(t *testing.T) {
		testMove(t, pb.MoveKind_MOVE_KIND_POSTCOPY, pb.MovePhase_MOVE_PHASE_COPY)
	})
	t.Run("hybrid", func(t *testing.T) {
		testMove(t, pb.MoveKind_MOVE_KIND_HYBRID, pb.MovePhase_MOVE_PHASE_COPY)
	})
}

func testMove(t *testing.T, kind pb.MoveKind, first pb.MovePhase) {
	d := newDaemon(t)
	const steps = "20000000"
	want := ended(t, d.run("still", "count", steps))
	target := d.make("to", true)
	later := NeedsBoth(kind)
	if later && !target.Status().PostCopy {
		t.Skip("memory cannot be filled on demand here")
	}
	p := newWires(t)
	received := make(chan *pb.Received, 1)
	go func() {
		opt := receiveOptions()
		opt.PostCopy, opt.Keys = later, p.target
		r, err := target.Receive(t.Context(), accepting{p}, opt, nil)
		if err != nil {
			t.Error(err)
		}
		received <- r
	}()
	var phases []pb.MovePhase
	vm := d.run("from", "count", steps, "wait") // it must not end before it moves
	opt := sendOptions()
	opt.Options, opt.PostCopy, opt.Keys = &pb.MoveOptions{Kind: kind}, later, p.source
	sent, err := vm.Send(t.Context(), p, opt, func(m *pb.MoveProgress) { phases = append(phases, m.Phase) })
	if err != nil {
		t.Fatalf("%v; ended %v", err, vm.Ended())
	}
	r := <-received
	if string(r.GetDigest()) != string(sent.Digest) || len(sent.Digest) != 32 || len(phases) < 2 || phases[0] != first || sent.Kind != kind {
		t.Errorf("sent %v, received %v, phases %v", sent, r, phases)
	}
	if (kind == pb.MoveKind_MOVE_KIND_POSTCOPY) != (sent.Missing > 0) && kind != pb.MoveKind_MOVE_KIND_HYBRID || sent.Missing != r.GetMissing() {
		t.Errorf("sent without %d pages, received without %d", sent.Missing, r.GetMissing())
	}
	if sent.LogEnd != int64(len(mustRead(t, filepath.Join(d.dir, "from.log")))) {
		t.Errorf("the log is said to end at %d", sent.LogEnd)
	}
	// As one whose daemon dies now: it is at rest until it is told what became of the move.
	vm.Leave()
	vm, err = d.TakeOver(t.Context(), "from", 0, Hooks{})
	check(t, err)
	if s := vm.Status(); s.State != pb.ProcessState_PROCESS_STATE_AT_REST || s.Sent.GetLogEnd() != sent.LogEnd {
		t.Errorf("status %v", s)
	}
	check(t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "to"}, Left: sent.Left, LogBase: sent.LogEnd}, d.log("to")))
	check(t, target.Go(time.Time{}))
	if later {
		// So does the target's: what it has until then it keeps.
		target.Leave()
		target, err = d.TakeOver(t.Context(), "to", 0, Hooks{})
		check(t, err)
		if n := target.Status().Missing; n != sent.Missing {
			t.Errorf("%d pages are missing of %d", n, sent.Missing)
		}
		fillFrom(t, vm, target, p, accepting{p})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, ok := target.AwaitResumed(ctx); !ok {
		t.Error("it did not resume")
	}
	check(t, vm.Close())
	_, err = target.Input(ctx, 0, nil, true)
	check(t, err)
	if e := ended(t, target); e.GetExit().GetCode() != want.GetExit().GetCode() {
		t.Errorf("ended with %v, want %v", e, want)
	}
	if got := d.output("from") + d.output("to"); got != d.output("still") {
		t.Errorf("output of %d bytes, of one that did not move %d", len(got), len(d.output("still")))
	}
}

// fillFrom brings what a target lacks, unless its guest ends before it has needed all.
func fillFrom(t *testing.T, source, target VM, from, to Streams) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	source.Commit()
	drained := make(chan error, 1)
	go func() { drained <- source.Drain(ctx, from, nil) }()
	_, err := target.Fill(ctx, to, nil)
	if errors.Is(err, vmm.ErrExited) {
		cancel()
		<-drained
		return
	}
	check(t, err)
	check(t, <-drained)
}

// catOnItsWay is a guest that was moved by post-copy and whose memory is to follow.
func catOnItsWay(t *testing.T) (d *daemon, p *pipes, vm, target VM) {
	t.Helper()
	d = newDaemon(t)
	target = d.make("to", true)
	if !target.Status().PostCopy {
		t.Skip("memory cannot be filled on demand here")
	}
	p = &pipes{ends: map[uint8]net.Conn{}}
	received := make(chan error, 1)
	go func() {
		opt := receiveOptions()
		opt.PostCopy = true
		_, err := target.Receive(t.Context(), p, opt, nil)
		received <- err
	}()
	vm = d.run("from", "cat")
	if _, err := vm.Input(t.Context(), 0, []byte("one "), false); err != nil {
		t.Fatal(err)
	}
	d.await("the first output", func() bool { return d.output("from") == "one " })
	opt := sendOptions()
	opt.Options, opt.PostCopy = &pb.MoveOptions{Kind: pb.MoveKind_MOVE_KIND_POSTCOPY}, true
	sent, err := vm.Send(t.Context(), p, opt, nil)
	check(t, err)
	check(t, <-received)
	check(t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "to"}, Left: sent.Left, LogBase: sent.LogEnd, InputAccepted: 4}, d.log("to")))
	check(t, target.Go(time.Time{}))
	return d, p, vm, target
}

// A process can die just behind its answer to who takes it over, which says how its guest ended.
func TestEndedProcessDies(t *testing.T) {
	p := &Process{done: make(chan struct{})}
	close(p.done) // the reader saw it
	p.end(&pb.ProcessEnded{Exit: &pb.Exit{Code: 42}})
	if got := p.Ended().GetExit().GetCode(); got != 42 {
		t.Errorf("it ended with %d", got)
	}
}

// The streams of what follows are opened before the guest leaves its stack, and bring nothing before
// the commitment.
func TestStreamsAhead(t *testing.T) {
	d := newDaemon(t)
	target := d.make("to", true)
	if !target.Status().PostCopy {
		t.Skip("memory cannot be filled on demand here")
	}
	p := &pipes{ends: map[uint8]net.Conn{}}
	received, filled, drained := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() {
		opt := receiveOptions()
		opt.PostCopy = true
		_, err := target.Receive(t.Context(), p, opt, nil)
		received <- err
	}()
	go func() {
		_, err := target.Fill(t.Context(), p, nil)
		filled <- err
	}()
	vm := d.run("from", "cat")
	opt := sendOptions()
	opt.Options, opt.PostCopy = &pb.MoveOptions{Kind: pb.MoveKind_MOVE_KIND_POSTCOPY}, true
	draining := false
	sent, err := vm.Send(t.Context(), p, opt, func(m *pb.MoveProgress) {
		if !draining {
			draining = true
			go func() { drained <- vm.Drain(t.Context(), p, nil) }()
		}
	})
	check(t, err)
	check(t, <-received)
	p.mu.Lock()
	open := len(p.ends)
	p.mu.Unlock()
	if open > 0 { // one end of a pair waits for the other
		t.Errorf("%d streams are open at one end alone", open)
	}
	check(t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "to"}, Left: sent.Left, LogBase: sent.LogEnd}, d.log("to")))
	select {
	case err := <-filled:
		t.Errorf("filled before the commitment: %v", err)
	case err := <-drained:
		t.Errorf("drained before the commitment: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	vm.Commit()
	check(t, target.Go(time.Time{}))
	check(t, <-filled)
	check(t, <-drained)
	check(t, vm.Close())
	_, err = target.Input(t.Context(), 0, nil, true)
	check(t, err)
	ended(t, target)
}

// A guest that waits has all of its memory in the end, though it needs little of it, and goes on
// with it when its source is gone.
func TestPostCopyOfOneThatWaits(t *testing.T) {
	d, p, vm, target := catOnItsWay(t)
	fillFrom(t, vm, target, p, p)
	check(t, vm.Close())
	if n, err := target.Input(t.Context(), 4, []byte("two"), true); n != 7 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if e := ended(t, target); e.GetExit().GetCode() != 0 {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("to"); got != "two" {
		t.Errorf("output %q", got)
	}
}

// One whose memory never comes prints nothing, and can be ended.
func TestEndOfOneWithoutMemory(t *testing.T) {
	d, _, vm, target := catOnItsWay(t)
	check(t, vm.Close())
	go target.Stop(0)
	check(t, target.Close())
	ended(t, target)
	if left := d.dirs(); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if got := d.output("to"); got != "" {
		t.Errorf("output %q", got)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	return b
}

// Whatever ends a move, the guest goes on where it was.
func TestMoveFails(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "cat")
	closed := &pipes{ends: map[uint8]net.Conn{}}
	ours, err := closed.Open(t.Context(), FirstStream)
	check(t, err)
	ours.Close()
	if _, err := vm.Send(t.Context(), closed, sendOptions(), nil); err == nil {
		t.Error("sent to nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := &pipes{ends: map[uint8]net.Conn{}}
	cut, err := silent.Open(t.Context(), FirstStream)
	check(t, err)
	defer cut.Close()
	if _, err = vm.Send(ctx, silent, sendOptions(), nil); err == nil {
		t.Error("sent to one that says nothing")
	}
	if n, err := vm.Input(t.Context(), 0, []byte("still here"), true); n != 10 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if e := ended(t, vm); e.GetExit() == nil {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("a"); got != "still here" {
		t.Errorf("output %q", got)
	}
}

// What a guest prints is held back where that was asked for, over its daemon's end too.
func TestHeld(t *testing.T) {
	d := newDaemon(t)
	vm := d.make("a", false, "hello")
	check(t, vm.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "a"}, Hold: true}, d.log("a")))
	check(t, vm.Go(time.Time{}))
	vm.Leave()
	vm, err := d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	if s := vm.Status(); !s.Held || s.State != pb.ProcessState_PROCESS_STATE_RUNNING {
		t.Errorf("status %v", s)
	}
	if got := d.output("a"); got != "" {
		t.Errorf("%q has got out", got)
	}
	vm.Release()
	if e := ended(t, vm); e.GetExit().GetCode() != 7 {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("a"); got == "" {
		t.Error("nothing has got out")
	}
	if s := vm.Status(); s.Ended != nil {
		t.Errorf("it had ended before: %v", s)
	}
}

// What a daemon has said last counts, though it dies at once; what it asked for and has not got
// is called off.
func TestLastWord(t *testing.T) {
	d := newDaemon(t)
	target := d.make("to", true)
	p := &pipes{ends: map[uint8]net.Conn{}}
	go target.Receive(t.Context(), p, receiveOptions(), nil)
	vm := d.run("a", "cat")
	_, err := vm.Send(t.Context(), p, sendOptions(), nil)
	check(t, err)
	vm.Commit()
	for range 2 { // by whichever daemon it was said
		vm.Leave()
		vm, err = d.TakeOver(t.Context(), "a", 0, Hooks{})
		check(t, err)
		if s := vm.Status(); !s.Committed || s.State != pb.ProcessState_PROCESS_STATE_AT_REST {
			t.Errorf("status %v", s)
		}
	}
	check(t, vm.Continue())
	vm.Leave()
	vm, err = d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	if s := vm.Status(); s.Committed || s.State != pb.ProcessState_PROCESS_STATE_RUNNING {
		t.Errorf("it goes on, and its status is %v", s)
	}
	// A move that nobody waits for any more does not bring it to rest.
	silent := &pipes{ends: map[uint8]net.Conn{}}
	cut, err := silent.Open(t.Context(), FirstStream)
	check(t, err)
	defer cut.Close()
	go vm.Send(t.Context(), silent, sendOptions(), nil)
	d.await("the move is under way", func() bool {
		silent.mu.Lock()
		defer silent.mu.Unlock()
		return len(silent.ends) == 0
	})
	vm.Leave()
	vm, err = d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	if s := vm.Status(); s.State != pb.ProcessState_PROCESS_STATE_RUNNING {
		t.Errorf("status %v", s)
	}
	_, err = vm.Input(t.Context(), 0, []byte("still here"), true)
	check(t, err)
	if e := ended(t, vm); e.GetExit() == nil || d.output("a") != "still here" {
		t.Errorf("ended with %v, output %q", e, d.output("a"))
	}
}
