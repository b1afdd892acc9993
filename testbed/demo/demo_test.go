package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
)

func TestBar(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		from, length, whole time.Duration
		begin, ink          int // columns
	}{
		{0, 44 * ms, 44 * ms, 0, 44},
		{11 * ms, 22 * ms, 44 * ms, 11, 22},
		{11 * ms, 1, 44 * ms, 11, 1},       // a trace of it
		{44 * ms, 1, 44 * ms, 43, 1},       // at the very end
		{40 * ms, 60 * ms, 44 * ms, 40, 4}, // longer than the whole
		{50 * ms, 1 * ms, 44 * ms, 43, 1},  // behind the whole
		{0, 0, 44 * ms, 0, 0},              // nothing
		{5 * ms, 5 * ms, 0, 0, 0},          // of nothing
	} {
		want := strings.Repeat(" ", test.begin) + strings.Repeat("#", test.ink) + strings.Repeat(" ", barWidth-test.begin-test.ink)
		if got := bar(test.from, test.length, test.whole, "#"); got != want {
			t.Errorf("%v for %v of %v: %q, want %q", test.from, test.length, test.whole, got, want)
		}
	}
}

func TestDifference(t *testing.T) {
	for _, test := range [][3]string{
		{"a\nb\n", "a\nc\n", `line 2 is "b"`},
		{"a\n", "a\nb\n", `line 2 is`},
		{"a", "a\nb", `line 2 is missing: "b"`},
		{"a\nb", "a", `line 2 is too much: "b"`},
	} {
		if got := difference(test[0], test[1]); !strings.HasPrefix(got, test[2]) {
			t.Errorf("%q and %q: %s", test[0], test[1], got)
		}
	}
}

// The verdict is bad as soon as anything is.
func TestVerdict(t *testing.T) {
	moves := []cluster.Move{{FromISA: "x86_64", ToISA: "aarch64"}, {FromISA: "aarch64", ToISA: "x86_64"}}
	good := func() *demo {
		record := &cluster.VM{State: "exited", Moves: moves, Exit: new(cluster.Exit)}
		return &demo{printer: newPrinter(io.Discard), outcome: outcome{"out\n", map[string]string{"logs": "out\n"}, record}}
	}
	if err := good().verdict(); err != nil {
		t.Errorf("all is well, and the verdict is %v", err)
	}
	for name, spoil := range map[string]func(*demo){
		"output":   func(d *demo) { d.printed["logs"] = "oup\n" },
		"status":   func(d *demo) { d.record.Exit.Code = 1 },
		"no end":   func(d *demo) { d.record.Exit = nil },
		"one move": func(d *demo) { d.record.Moves = moves[:1] },
		"one ISA":  func(d *demo) { d.record.Moves = []cluster.Move{{FromISA: "a", ToISA: "a"}, {}} },
	} {
		d := good()
		spoil(d)
		if err := d.verdict(); !errors.Is(err, errDiffers) {
			t.Errorf("%s: verdict %v", name, err)
		}
	}
}

func TestLines(t *testing.T) {
	var got []string
	w := &lineWriter{emit: func(line string) { got = append(got, line) }}
	for _, piece := range []string{"a", "b\nc\n", "\nd"} {
		io.WriteString(w, piece)
	}
	if strings.Join(got, "|") != "ab|c|" {
		t.Errorf("%q", got)
	}
}
