// Package oracle runs a program plain and moved, and says whether anybody could tell the
// difference: standard output, standard error and exit status are compared byte for byte.
//
// It runs images as processes under tenders, natively and under user-mode emulation, so
// that thousands of moves take seconds. A move is a real one: the guest leaves its machine
// stacks, its portable memory is copied into another machine, and it resumes there.
package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/vmm"
)

// A Program is what is run: an image and all that its output depends on.
type Program struct {
	Image   *image.Config
	Records *Records // checks what its frames leave behind; nil: nothing does
	Memory  uint64   // bytes
	Args    []string
	Env     []string
	Files   []vmm.File
	Stdin   []byte
}

// Of returns a program that has no arguments yet.
func Of(m *image.Image) (*Program, error) {
	records, err := NewRecords(m)
	if err != nil {
		return nil, fmt.Errorf("read what records hold: %w", err)
	}
	return &Program{Image: m.Config(), Records: records, Memory: 64 << 20}, nil
}

// A Result is how a run ended.
type Result struct {
	Stdout, Stderr []byte
	Exit           vmm.Exit
	Log            []string // what the guest's kernel had to say to the operator
	Points         uint64   // migration points passed
	Moves          int
}

// Plain runs the program on one build from beginning to end, and counts migration points.
func (p *Program) Plain(ctx context.Context, b *image.Build) (*Result, error) {
	return p.run(ctx, Route{Builds: []*image.Build{b}, Gap: Never})
}

// Moved runs the program along a route.
func (p *Program) Moved(ctx context.Context, r Route) (*Result, error) {
	if len(r.Builds) < 2 {
		return nil, errors.New("a route needs two builds or the same one twice")
	}
	return p.run(ctx, r)
}

// run is Plain and Moved.
func (p *Program) run(ctx context.Context, route Route) (_ *Result, err error) {
	t := &trip{program: p, route: route, stops: make([]*stop, len(route.Builds))}
	defer t.close()
	if err := t.start(); err != nil {
		return nil, err
	}
	feed := newFeed(t.here().Guest, p.Stdin)
	defer feed.stop()
	for {
		left, err := t.here().AwaitLeft(ctx)
		if errors.Is(err, vmm.ErrExited) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("after %d moves on %s: %w; output so far ends in %q",
				t.moves, t.build().Info.ISA, err, t.recorder.tail())
		}
		if err := t.move(left); err != nil {
			return nil, fmt.Errorf("move %d, to %s: %w", t.moves+1, t.build().Info.ISA, err)
		}
		feed.moved(t.here().Guest)
	}
	t.points += t.here().Points()
	return t.result(), nil
}

// A recorder keeps what guests write, one after the other.
type recorder struct {
	mu   sync.Mutex
	text [3]bytes.Buffer // by stream
	logs []string
}

func (r *recorder) output(s vmm.Stream, b []byte) {
	r.mu.Lock()
	r.text[s].Write(b)
	r.mu.Unlock()
}

func (r *recorder) log(msg string) {
	r.mu.Lock()
	r.logs = append(r.logs, msg)
	r.mu.Unlock()
}

// tail returns the end of the standard output.
func (r *recorder) tail() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.text[vmm.Stdout].Bytes()
	return bytes.Clone(b[max(0, len(b)-80):])
}
