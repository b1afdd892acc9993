package oracle

import (
	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/tender"
)

// A trip is one run of a program along a route.
type trip struct {
	program  *Program
	route    Route
	recorder recorder

	stops  []*stop // by index of route.Builds; nil where none was made yet
	at     int     // index of the one where the guest is
	moves  int
	points uint64 // passed on machines that were left
}

// A stop is a machine on the way and the guest in it.
type stop struct {
	*vmm.Guest
	machine *tender.Machine
}

// newStop makes a machine for one build.
func (t *trip) newStop(b *image.Build, resume bool) (*stop, error) {
	p, s := t.program, &stop{}
	var err error
	var record func(uint32, []byte) error
	if p.Records != nil {
		record = func(site uint32, data []byte) error { return p.Records.Check(b, site, data) }
	}
	s.Guest, err = vmm.New(vmm.Config{
		Spec:   vmm.Spec{Image: p.Image, Build: b, Memory: p.Memory, Resume: resume},
		Args:   p.Args,
		Env:    p.Env,
		Files:  p.Files,
		Output: t.recorder.output,
		Log:    t.recorder.log,
		Record: record,
		Machine: func(spec vmm.Spec) (vmm.Machine, error) {
			m, err := tender.New(spec)
			if err != nil {
				return nil, err
			}
			s.machine = m.(*tender.Machine)
			return m, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (t *trip) here() *stop         { return t.stops[t.at] }
func (t *trip) build() *image.Build { return t.route.Builds[t.at] }

func (t *trip) start() (err error) {
	if t.stops[0], err = t.newStop(t.build(), false); err != nil {
		return err
	}
	soil(t.here().Memory())
	t.here().LeaveAt(t.gap())
	return t.here().Start(nil)
}

// soil fills what is fresh and not promised to be zero, the upper part of the first thread's
// shadow stack, so that who relies on zeros there is found.
func soil(portable []byte) {
	const end, size = hostabi.StaticBase - hostabi.PortableBase, 256 << 10
	if len(portable) < end {
		return // a test's guest, which has no such stack
	}
	stack := portable[end-size : end]
	for i := range stack {
		stack[i] = tender.Poison
	}
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
	t.at = (t.at + 1) % len(t.stops)
	to := t.here()
	if to == nil {
		var err error
		if to, err = t.newStop(t.build(), true); err != nil {
			return err
		}
		t.stops[t.at] = to
	}
	if err := copyMemory(to, from); err != nil {
		return err
	}
	if t.route.Fresh {
		if err := from.Close(); err != nil {
			return err
		}
		t.stops[old] = nil
	} else if err := from.machine.PoisonStacks(); err != nil { // the guest may come back to it
		return err
	}
	t.moves++
	to.LeaveAt(t.gap())
	return to.Start(left)
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
	for _, s := range t.stops {
		if s != nil {
			s.Close()
		}
	}
}
