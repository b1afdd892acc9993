package oracle

import (
	"bytes"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A trip is one run of a program along a route.
type trip struct {
	program  *Program
	route    Route
	recorder recorder

	guests []*vmm.Guest // by index of route.Builds; nil where none was made yet
	at     int          // index of the one that runs
	moves  int
	points uint64 // passed on machines that were left
}

func (t *trip) here() *vmm.Guest    { return t.guests[t.at] }
func (t *trip) build() *image.Build { return t.route.Builds[t.at] }

func (t *trip) start() (err error) {
	if t.guests[0], err = t.program.guest(t.build(), false, &t.recorder); err != nil {
		return err
	}
	t.here().LeaveAt(t.gap())
	return t.here().Start(nil)
}

func (t *trip) gap() uint64 {
	if t.route.Limit > 0 && t.moves >= t.route.Limit {
		return 0
	}
	return t.route.Gap()
}

// move takes a guest that has left to the next build.
func (t *trip) move(left *vmm.Left) error {
	from := t.here()
	t.points += from.Points()
	old := t.at
	t.at = (t.at + 1) % len(t.guests)
	to, fresh := t.here(), false
	if to == nil {
		var err error
		if to, err = t.program.guest(t.build(), true, &t.recorder); err != nil {
			return err
		}
		t.guests[t.at], fresh = to, true
	}
	copyMemory(to.Memory(), from.Memory(), fresh)
	if t.route.Fresh {
		if err := from.Close(); err != nil {
			return err
		}
		t.guests[old] = nil
	}
	t.moves++
	to.LeaveAt(t.gap())
	return to.Start(left)
}

// copyMemory makes dst equal to src; fresh: dst is zero. It leaves pages alone that are
// equal already: writing to them would cost memory.
func copyMemory(dst, src []byte, fresh bool) {
	var zero [hostabi.PageSize]byte
	for off := 0; off < len(src); off += hostabi.PageSize {
		d, s := dst[off:off+hostabi.PageSize], src[off:off+hostabi.PageSize]
		same := d
		if fresh {
			same = zero[:]
		}
		if !bytes.Equal(same, s) {
			copy(d, s)
		}
	}
}

func (t *trip) result() *Result {
	exit := t.here().Exit()
	t.recorder.mu.Lock()
	defer t.recorder.mu.Unlock()
	return &Result{
		Stdout: t.recorder.text[vmm.Stdout].Bytes(),
		Stderr: t.recorder.text[vmm.Stderr].Bytes(),
		Log:    t.recorder.logs,
		Exit:   exit,
		Points: t.points,
		Moves:  t.moves,
	}
}

func (t *trip) close() {
	for _, g := range t.guests {
		if g != nil {
			g.Close()
		}
	}
}
