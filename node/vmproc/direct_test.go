package vmproc

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// TestDirect: a source's process has the target's start the guest if its daemon has allowed just that
// move, and then the guest is not its any more.
func TestDirect(t *testing.T) {
	move, other := []byte("this move's token"), []byte("another's")
	for _, test := range []struct {
		name    string
		allowed []byte
		kind    pb.MoveKind
		want    bool
	}{
		{"stop", move, pb.MoveKind_MOVE_KIND_STOP, true},
		{"precopy", move, pb.MoveKind_MOVE_KIND_PRECOPY, true},
		{"not allowed", nil, pb.MoveKind_MOVE_KIND_STOP, false},
		{"another move", other, pb.MoveKind_MOVE_KIND_STOP, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDaemon(t)
			target := d.make("to", true)
			p := newWires(t)
			received := receiveDirect(t, target, p)
			vm := d.run("from", "cat")
			if test.allowed != nil {
				vm.Allow(test.allowed)
			}
			opt := sendOptions()
			opt.Options, opt.Keys, opt.Token = &pb.MoveOptions{Kind: test.kind}, p.source, move
			armed := false
			sent, err := vm.Send(t.Context(), p, opt, func(m *pb.MoveProgress) {
				if m.AtRest == nil {
					return
				}
				armed = true
				check(t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "to"}, Left: m.AtRest.Left, LogBase: m.AtRest.LogEnd}, d.log("to")))
			})
			check(t, err)
			check(t, <-received)
			if sent.Committed != test.want || !armed {
				t.Errorf("committed %v, armed %v", sent.Committed, armed)
			}
			vm.Leave()
			vm, err = d.TakeOver(t.Context(), "from", 0, Hooks{})
			check(t, err)
			if s := vm.Status(); s.State != pb.ProcessState_PROCESS_STATE_AT_REST || s.Committed != test.want {
				t.Errorf("status %v", s)
			}
			if !test.want {
				target.Leave()
				target, err = d.TakeOver(t.Context(), "to", 0, Hooks{})
				check(t, err)
				if s := target.Status(); s.State != pb.ProcessState_PROCESS_STATE_ARMED {
					t.Errorf("status of the target %v", s)
				}
			}
			// The daemon asks all the same.
			check(t, target.Go(time.Time{}))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, ok := target.AwaitResumed(ctx); !ok {
				t.Error("it did not resume")
			}
			check(t, vm.Close())
			if n, err := target.Input(ctx, 0, []byte("here"), true); n != 4 || err != nil {
				t.Errorf("accepted %d, %v", n, err)
			}
			ended(t, target)
			if got := d.output("to"); got != "here" {
				t.Errorf("output %q", got)
			}
		})
	}
}

// TestDirectWithoutArm: a target whose daemon does not get it ready to start gets no guest, though all
// of memory is there. It goes on where it was.
func TestDirectWithoutArm(t *testing.T) {
	d := newDaemon(t)
	target := d.make("to", true)
	p := newWires(t)
	received := receiveDirect(t, target, p)
	vm := d.run("from", "cat")
	vm.Allow([]byte("token"))
	opt := sendOptions()
	opt.Keys, opt.Token, opt.StallTimeout = p.source, []byte("token"), durationpb.New(100*time.Millisecond)
	if sent, err := vm.Send(t.Context(), p, opt, nil); !errors.Is(err, ErrStalled) {
		t.Errorf("sent %v, %v", sent, err)
	}
	check(t, <-received)
	if s := vm.Status(); s.Committed {
		t.Error("it is committed")
	}
	if n, err := vm.Input(t.Context(), 0, []byte("here"), true); n != 4 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	ended(t, vm)
	if got := d.output("from"); got != "here" {
		t.Errorf("output %q", got)
	}
}

// receiveDirect has target receive a move that the source's process may commit to by itself.
func receiveDirect(t *testing.T, target VM, p *wires) <-chan error {
	received := make(chan error, 1)
	go func() {
		opt := receiveOptions()
		opt.Keys, opt.Direct = p.target, true
		_, err := target.Receive(t.Context(), accepting{p}, opt, nil)
		received <- err
	}()
	return received
}
