package e2e

import (
	"strings"
	"syscall"
	"testing"
)

// A VM that sleeps moves at once, and sleeps for what is left. (Awake it would end, and could
// not be moved.)
func TestAsleep(t *testing.T) {
	f, ctx := begun(t)
	v := f.run(t, ctx, f.server, "asleep", "asleep", "sleep", "5")
	v.offload("arm-board-1")
	v.at("away", "arm-board-1")
	if r := v.end(4); r.Stdout != "asleep\nawake\n" {
		t.Errorf("it printed %q", r.Stdout)
	}
}

// Input reaches a program that waits for it, wherever it is.
func TestReading(t *testing.T) {
	f, ctx := begun(t)
	v := f.run(t, ctx, f.server, "reading", "reading", "read")
	v.send("here")
	v.await("1: here")
	v.offload("arm-board-1")
	v.send("on the board")
	v.await("2: on the board")
	ctl(t, ctx, f.server, "recall", v.name)
	v.send("here again")
	v.Stdin.Close()
	const want = "reading\n1: here\n2: on the board\n3: here again\nend of input\n"
	if r := v.end(5); r.Stdout != want {
		t.Errorf("it printed %q, want %q", r.Stdout, want)
	}
}

// Threads go on together after each move, whatever they did at that moment.
func TestThreads(t *testing.T) {
	f, ctx := begun(t)
	v := f.run(t, ctx, f.server, "threads", "started", "threads")
	v.send("here")
	v.await("here: all have come on")
	v.offload("arm-board-1")
	v.send("on the board")
	v.await("on the board: all have come on")
	ctl(t, ctx, f.server, "recall", v.name)
	v.send("here again")
	v.await("here again: all have come on")
	v.Stdin.Close()
	if r := v.end(6); !strings.HasSuffix(r.Stdout, "\nall have ended\n") {
		t.Errorf("it printed %q", r.Stdout)
	}
}

// Ctrl-C stops a program, here or away, and its status is that of SIGTERM.
func TestInterrupt(t *testing.T) {
	f, ctx := begun(t)
	const terminated = 128 + int(syscall.SIGTERM)
	for _, away := range []bool{false, true} {
		name := "interrupted-here"
		if away {
			name = "interrupted-away"
		}
		v := f.run(t, ctx, f.server, name, "reading", "read")
		if away {
			v.offload("arm-board-1")
		}
		check(t, v.Signal(syscall.SIGINT))
		v.end(terminated)
		if r, err := f.server.Inspect(ctx, name); err != nil || r.State != "exited" || r.Exit.Code != terminated {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// A VM that is away is stopped, and waited for, at its home.
func TestStopAway(t *testing.T) {
	f, ctx := begun(t)
	v := f.run(t, ctx, f.server, "stopped", "reading", "read")
	v.offload("arm-board-1")
	waiting, err := f.server.Session("wait", v.name)
	check(t, err)
	defer waiting.Kill()
	if out := ctl(t, ctx, f.server, "stop", v.name); !strings.Contains(out, "stopped exited (143)") {
		t.Errorf("stop printed %q", out)
	}
	r, err := waiting.Wait(ctx)
	check(t, err)
	if r.Code != 143 {
		t.Errorf("wait ended with status %d: %s", r.Code, r.Stderr)
	}
	v.end(143)
	if out := ctl(t, ctx, f.board, "ps"); strings.Contains(out, v.name) {
		t.Errorf("the board still has it:\n%s", out)
	}
}
