package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Errors of a comparison that compares nothing.
var (
	ErrNoMoves        = errors.New("the program was never moved")
	ErrEmptyReference = errors.New("the unmoved run printed nothing: there is nothing to compare")
)

// Check runs the program along a route and compares the result with want, its unmoved run.
func (p *Program) Check(ctx context.Context, want *Result, r Route) (*Result, error) {
	got, err := p.Moved(ctx, r)
	if err != nil {
		return nil, err
	}
	if got.Moves == 0 && got.Exit.Crash == nil { // it may have come to grief when it was to leave
		return got, fmt.Errorf("%w; it passed %d migration points", ErrNoMoves, got.Points)
	}
	return got, Compare(want, got)
}

// Compare says how got differs from want.
func Compare(want, got *Result) error {
	if len(want.Stdout) == 0 && len(want.Stderr) == 0 {
		return ErrEmptyReference
	}
	var differences []string
	for _, s := range []struct {
		name      string
		want, got []byte
	}{
		{"standard output", want.Stdout, got.Stdout},
		{"standard error", want.Stderr, got.Stderr},
	} {
		if !bytes.Equal(s.want, s.got) {
			differences = append(differences, s.name+" "+difference(s.want, s.got))
		}
	}
	if want.Exit.Code != got.Exit.Code || want.Exit.Signal != got.Exit.Signal {
		d := fmt.Sprintf("exit status is %d, should be %d", got.Exit.Code, want.Exit.Code)
		if c := got.Exit.Crash; c != nil {
			d += fmt.Sprintf("; crash: %+v", *c)
		}
		differences = append(differences, d)
	}
	if differences == nil {
		return nil
	}
	return fmt.Errorf("after %d moves %s", got.Moves, strings.Join(differences, "; "))
}

// difference shows where two texts part.
func difference(want, got []byte) string {
	n := 0
	for n < len(want) && n < len(got) && want[n] == got[n] {
		n++
	}
	line := 1 + bytes.Count(want[:n], []byte("\n"))
	from := bytes.LastIndexByte(want[:n], '\n') + 1
	show := func(b []byte) []byte { return b[from:min(len(b), max(n+40, from+80))] }
	return fmt.Sprintf("differs at byte %d of %d (%d), line %d: is %q, should be %q",
		n, len(want), len(got), line, show(got), show(want))
}
