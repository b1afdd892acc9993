package vmproc

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
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
		want    bool // by itself
	}{
		{"stop", move, pb.MoveKind_MOVE_KIND_STOP, true},
		{"precopy", move, pb.MoveKind_MOVE_KIND_PRECOPY, true},
		{"postcopy", move, pb.MoveKind_MOVE_KIND_POSTCOPY, true},
		{"postcopy, not allowed", nil, pb.MoveKind_MOVE_KIND_POSTCOPY, false},
		{"not allowed", nil, pb.MoveKind_MOVE_KIND_STOP, false},
		{"another move", other, pb.MoveKind_MOVE_KIND_STOP, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDaemon(t)
			target := d.make("to", true)
			post := test.kind == pb.MoveKind_MOVE_KIND_POSTCOPY
			if post && !target.Status().PostCopy {
				t.Skip("memory cannot be filled on demand here")
			}
			p := newWires(t)
			received := receiveDirect(t, target, p)
			filled, drained := make(chan error, 1), make(chan error, 1)
			if post {
				go func() {
					_, err := target.Fill(t.Context(), accepting{p}, nil)
					filled <- err
				}()
			}
			vm := d.run("from", "cat")
			if test.allowed != nil {
				vm.Allow(test.allowed)
			}
			opt := sendOptions()
			opt.Options, opt.Keys, opt.Token, opt.PostCopy = &pb.MoveOptions{Kind: test.kind}, p.source, move, post
			armed, draining, phase := false, false, pb.MovePhase_MOVE_PHASE_UNSPECIFIED
			sent, err := vm.Send(t.Context(), p, opt, func(m *pb.MoveProgress) {
				if post && !draining {
					draining = true
					go func() { drained <- vm.Drain(t.Context(), p, nil) }()
				}
				if m.Phase != pb.MovePhase_MOVE_PHASE_UNSPECIFIED {
					phase = m.Phase
				}
				if !m.Arm {
					return
				}
				armed = true
				if phase > pb.MovePhase_MOVE_PHASE_COPY {
					t.Errorf("the target is to get ready in phase %v", phase)
				}
				check(t, target.Arm(&pb.ProcessArm{Vm: &pb.VM{Id: "to"}}, d.log("to")))
			})
			check(t, err)
			there := <-received
			check(t, there.err)
			if sent.Committed != test.want || !armed {
				t.Errorf("committed %v, armed %v", sent.Committed, armed)
			}
			if rest := there.AtRest; rest.GetLeft().GetMono() != sent.Left.Mono || rest.GetLogEnd() != sent.LogEnd {
				t.Errorf("it left as %v, the target has %v", sent.Left, rest)
			}
			if post { // what follows does so from the commitment on
				if !test.want {
					vm.Commit()
					check(t, target.Go(time.Time{}))
				}
				check(t, <-drained)
				check(t, <-filled)
			}
			vm.Leave()
			vm, err = d.TakeOver(t.Context(), "from", 0, Hooks{})
			check(t, err)
			if s := vm.Status(); s.State != pb.ProcessState_PROCESS_STATE_AT_REST || s.Committed != (test.want || post) {
				t.Errorf("status %v", s)
			}
			if !test.want && !post {
				target.Leave()
				target, err = d.TakeOver(t.Context(), "to", 0, Hooks{})
				check(t, err)
				if s := target.Status(); s.State != pb.ProcessState_PROCESS_STATE_ARMED {
					t.Errorf("status of the target %v", s)
				}
			}
			// The daemon asks all the same.
			if !post || test.want {
				check(t, target.Go(time.Time{}))
			}
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

// TestDirectWithoutArm: for a target whose daemon does not get it ready to start the guest is not even
// stopped. It goes on where it was.
func TestDirectWithoutArm(t *testing.T) {
	d := newDaemon(t)
	target := d.make("to", true)
	p := newWires(t)
	received := receiveDirect(t, target, p)
	vm := d.run("from", "cat")
	vm.Allow([]byte("token"))
	opt := sendOptions()
	opt.Keys, opt.Token, opt.StallTimeout = p.source, []byte("token"), durationpb.New(100*time.Millisecond)
	sent, err := vm.Send(t.Context(), p, opt, func(m *pb.MoveProgress) {
		if m.Phase > pb.MovePhase_MOVE_PHASE_COPY {
			t.Errorf("phase %v", m.Phase)
		}
	})
	if !errors.Is(err, ErrStalled) {
		t.Errorf("sent %v, %v", sent, err)
	}
	if there := <-received; there.err == nil {
		t.Errorf("received %v", there)
	}
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
func receiveDirect(t *testing.T, target VM, p *wires) <-chan receipt {
	received := make(chan receipt, 1)
	go func() {
		opt := receiveOptions()
		opt.Keys, opt.Direct, opt.PostCopy = p.target, true, true
		r, err := target.Receive(t.Context(), accepting{p}, opt, nil)
		received <- receipt{r, err}
	}()
	return received
}

// A receipt is what came of receiving.
type receipt struct {
	*pb.Received
	err error
}

// What follows memory is hostile, too.
func FuzzAtRest(f *testing.F) {
	f.Add(appendAtRest(nil, &pb.AtRest{Left: &pb.Left{Mono: 1, Input: []byte("x")}, LogEnd: 5}))
	f.Add([]byte(restText))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAtRest(bytes.NewReader(b))
		if a == nil {
			if err == nil && len(b) > 0 {
				t.Errorf("%q is taken for the end", b)
			}
			return
		}
		again, err := readAtRest(bytes.NewReader(appendAtRest(nil, a)))
		if err != nil || !proto.Equal(a, again) {
			t.Errorf("%v comes back as %v, %v", a, again, err)
		}
	})
}
