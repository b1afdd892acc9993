package kvm_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/testbed/loopback"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A leaver is a guest for live.Send that keeps what it left with.
type leaver struct {
	*vm
	left *vmm.Left
}

func (l *leaver) Quiesce(ctx context.Context) (err error) {
	l.left, err = l.vm.Quiesce(ctx)
	return err
}

// A guest that writes all the time, while its memory is sent and while it is held back,
// computes what it computes without.
func TestPreCopy(t *testing.T) {
	needKVM(t)
	for work := 40_000_000; preCopied(t, work) == 0; work *= 4 {
		t.Logf("the guest ended before it could be moved") // a slow machine, or the race detector
	}
}

// preCopied runs a guest with some work to do and without any move, and with what moves there are
// until it ends, and compares the two.
func preCopied(t *testing.T, work int) (moves int) {
	const pages = vmmtest.Memory / 4096 / 2
	args := []string{"paint", strconv.Itoa(pages), strconv.Itoa(work)}
	still := start(t, args...)
	want := still.wait()

	v := start(t, args...)
	v.out.await("painting")
	calledOff := 0
	for moves < 4 {
		to := newVM(t, v.out, true)
		a, b := loopback.Pair(t)
		arrived := make(chan *live.Arrival, 1)
		failed := make(chan error, 1)
		go func() {
			arrival, err := live.Receive(t.Context(), b, to.Memory(), live.Options{})
			arrived <- arrival
			failed <- err
		}()
		from := &leaver{vm: v}
		plan := live.Plan{Mode: live.PreCopy, MaxDowntime: time.Millisecond}
		res, stopped, err := live.Send(t.Context(), a, from, plan, nil)
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		check(t, err)
		arrival := <-arrived
		check(t, <-failed)
		if !stopped || res.Digest != arrival.Digest {
			t.Fatalf("stopped %v, digest %x, arrived %x", stopped, res.Digest, arrival.Digest)
		}
		t.Logf("%s; %+v", res.Why, res.Memory)
		if calledOff < 2 { // it goes on where it was
			calledOff++
			check(t, v.Continue())
			check(t, to.Close())
			continue
		}
		check(t, v.Close())
		check(t, to.Start(from.left))
		v = to
		moves++
	}
	if got := v.wait(); got.Code != want.Code || got.Crash != nil {
		t.Errorf("%d moves, exit %+v %+v, want %+v", moves, got, got.Crash, want)
	}
	if got, want := v.out.stream(vmm.Stdout), still.out.stream(vmm.Stdout); got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	return moves
}
