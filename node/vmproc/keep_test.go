package vmproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// hop moves a guest from one process to another, which the same VM's memory may be in.
func (d *daemon) hop(from VM, to string, accepted int64, kept Kept) (VM, *pb.MemoryStats) {
	d.t.Helper()
	target := d.makeFor(to, kept)
	p := &pipes{ends: map[uint8]net.Conn{}}
	received := make(chan error, 1)
	go func() {
		opt := receiveOptions()
		opt.Offer, opt.PostCopy = true, true
		_, err := target.Receive(d.t.Context(), p, opt, nil)
		received <- err
	}()
	sent, err := from.Send(d.t.Context(), p, sendOptions(), nil)
	check(d.t, err)
	check(d.t, <-received)
	check(d.t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: to}, Left: sent.Left, InputAccepted: accepted}, d.log(to)))
	check(d.t, target.Go(time.Time{}))
	return target, sent.Memory
}

func keep(t *testing.T, vm VM) Kept {
	t.Helper()
	kept, err := vm.Keep(t.Context())
	check(t, err)
	t.Cleanup(func() { kept.Close() })
	select {
	case <-vm.Done():
	default:
		t.Error("a VM whose memory is kept has not ended")
	}
	return kept
}

// feed gives a guest of cat a piece of input and waits for it in its output.
func (d *daemon) feed(vm VM, log, before string, at int64, piece string) {
	d.t.Helper()
	if n, err := vm.Input(d.t.Context(), at, []byte(piece), false); n != at+int64(len(piece)) || err != nil {
		d.t.Fatalf("accepted %d, %v", n, err)
	}
	d.await("output", func() bool { return d.output(log) == before+piece })
}

// A VM that comes back to where its memory was kept brings what has changed, whatever build and
// process ran it before, and as often as it likes.
func TestReturn(t *testing.T) {
	d := newDaemon(t)
	a := d.run("a", "cat")
	d.feed(a, "a", "", 0, "one ")
	b, first := d.hop(a, "b", 4, nil)
	kept := keep(t, a)
	if kept.Bytes() == 0 {
		t.Error("nothing is kept")
	}
	d.feed(b, "b", "", 4, "two ")
	a, again := d.hop(b, "a2", 8, kept)
	if again.Base == 0 || again.Sent >= first.Sent {
		t.Errorf("first %v\nreturn %v", first, again)
	}
	kept = keep(t, b)
	d.feed(a, "a2", "", 8, "three ")
	b, again = d.hop(a, "b2", 14, kept)
	if again.Base == 0 || again.Sent >= first.Sent {
		t.Errorf("first %v\nsecond return %v", first, again)
	}
	check(t, a.Close())
	if n, err := b.Input(t.Context(), 14, []byte("four"), true); n != 18 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if e := ended(t, b); e.GetExit().GetCode() != 0 {
		t.Errorf("ended with %v", e)
	}
	if got := d.output("b2"); got != "four" {
		t.Errorf("output %q", got)
	}
}

// A return that comes to nothing can be tried again, in the same process.
func TestReturnAgain(t *testing.T) {
	d := newDaemon(t)
	a := d.run("a", "cat")
	d.feed(a, "a", "", 0, "one ")
	b, _ := d.hop(a, "b", 4, nil)
	kept := keep(t, d.makeFor("a2", keep(t, a)))
	a, again := d.hop(b, "a2", 4, kept)
	if again.Base == 0 {
		t.Errorf("nothing was there: %v", again)
	}
	d.feed(a, "a2", "", 4, "two")
}

// A process that an older daemon has started goes on under this one. What it could keep would be of no use.
func TestKeepsNothingOfAnotherVersion(t *testing.T) {
	d := newDaemon(t)
	check(t, d.Close())
	d.cfg.Command = []string{"/proc/self/exe", oldProgram}
	a := d.run("a", "cat")
	d.feed(a, "a", "", 0, "one ")
	check(t, d.Close())
	a.Leave()
	d.start()
	a, err := d.TakeOver(t.Context(), "a", 0, Hooks{})
	check(t, err)
	b, _ := d.hop(a, "b", 4, nil)
	if _, err := a.Keep(t.Context()); !errors.Is(err, errOtherStream) {
		t.Errorf("keep says %v", err)
	}
	if got := len(d.dirs()); got != 1 {
		t.Errorf("%d processes are left, want that of the VM alone", got)
	}
	d.feed(b, "b", "", 4, "two")
}

// Memory that was kept and is not what it was any more costs bytes, and nothing else.
func TestReturnToDamagedMemory(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *Process, string){
		"changed": func(t *testing.T, p *Process, marker string) {
			if overwrite(t, p, marker) == 0 {
				t.Error("nothing was changed")
			}
		},
		"gone": func(t *testing.T, p *Process, _ string) {
			p.kill()
			<-p.Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t)
			const marker = "a line that is still in the guest's buffer"
			a := d.run("a", "cat")
			d.feed(a, "a", "", 0, marker)
			b, _ := d.hop(a, "b", int64(len(marker)), nil)
			kept := keep(t, a)
			damage(t, kept.(*Process), marker)
			d.feed(b, "b", "", int64(len(marker)), "two")
			a, _ = d.hop(b, "a2", int64(len(marker))+3, kept)
			check(t, b.Close())
			if n, err := a.Input(t.Context(), int64(len(marker))+3, []byte("three"), true); n != int64(len(marker))+8 || err != nil {
				t.Errorf("accepted %d, %v", n, err)
			}
			if e := ended(t, a); e.GetExit().GetCode() != 0 {
				t.Errorf("ended with %v", e)
			}
			if got := d.output("a2"); got != "three" {
				t.Errorf("output %q", got)
			}
		})
	}
}

// overwrite changes a text wherever it is in a process's memory, and returns how often it was.
func overwrite(t *testing.T, p *Process, text string) int {
	t.Helper()
	pid, err := p.pid()
	check(t, err)
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	check(t, err)
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	check(t, err)
	defer mem.Close()
	found := 0
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var perm string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &perm); n != 3 || !strings.HasPrefix(perm, "rw") {
			continue
		}
		for at := from; at < to; at += 1 << 20 {
			b := make([]byte, min(1<<20+int64(len(text)), to-at))
			n, err := mem.ReadAt(b, at)
			if err != nil && n == 0 {
				continue
			}
			if i := strings.Index(string(b[:n]), text); i >= 0 {
				_, err := mem.WriteAt([]byte("X"), at+int64(i))
				check(t, err)
				found++
			}
		}
	}
	return found
}

// A process that keeps memory cannot be made to run it, and ends with its daemon.
func TestKeptIsNoGuest(t *testing.T) {
	d := newDaemon(t)
	a := d.run("a", "cat")
	d.feed(a, "a", "", 0, "one ")
	if _, err := a.(*Process).do(t.Context(), &pb.ToVM{Request: &pb.ToVM_Keep{Keep: &pb.ProcessKeep{}}}, nil, nil); err == nil {
		t.Fatal("the memory of a guest that runs was taken from it")
	}
	b, _ := d.hop(a, "b", 4, nil)
	kept := keep(t, a).(*Process)
	if err := kept.Go(time.Time{}); err == nil {
		t.Error("it was let go")
	}
	if err := kept.Continue(); err == nil {
		t.Error("it went on")
	}
	check(t, b.Close())
	pid, err := kept.pid()
	check(t, err)
	kept.Leave()
	d.await("its end", func() bool { return unix.Kill(pid, 0) != nil })
	if _, err := d.TakeOver(context.Background(), "a", 0, Hooks{}); err == nil {
		t.Error("it was taken over")
	}
}
