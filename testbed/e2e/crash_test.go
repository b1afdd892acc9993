package e2e

import (
	"strings"
	"syscall"
	"testing"
)

// A program that crashes ends with the signal's status, wherever it is and has been, and its
// backtrace has names and lines.
func TestCrash(t *testing.T) {
	f, ctx := begun(t)
	for _, how := range []struct {
		name   string
		signal syscall.Signal
		caller string // in the backtrace
	}{
		{"null", syscall.SIGSEGV, "fall"},
		{"jump", syscall.SIGSEGV, "crash_command"},
		{"stack", syscall.SIGSEGV, "descend"},
		{"abort", syscall.SIGABRT, "fall"},
	} {
		for _, where := range []struct {
			name, node, isa string
			path            []string // nodes that it goes to before
		}{
			{"never moved", "server-1", "x86_64", nil},
			{"away", "arm-board-1", "aarch64", []string{"arm-board-1"}},
			{"back", "server-1", "x86_64", []string{"arm-board-1", "server-1"}},
		} {
			t.Run(how.name+" "+where.name, func(t *testing.T) {
				name := how.name + "-" + strings.ReplaceAll(where.name, " ", "-")
				v := f.run(t, ctx, f.server, name, "armed", "crash", how.name)
				for _, node := range where.path {
					ctl(t, ctx, f.server, "offload", name, "--to", node)
				}
				v.send("now")
				r := v.end(128 + int(how.signal))
				if strings.Contains(r.Stdout, "still here") {
					t.Error("it went on")
				}
				for _, want := range []string{where.isa, how.caller, "crash.c:"} {
					if !strings.Contains(r.Stderr, want) {
						t.Errorf("the log does not say %q:\n%s", want, r.Stderr)
					}
				}
				record := v.at("exited", where.node)
				if record.Exit == nil || record.Exit.Crash == nil {
					t.Fatalf("inspect knows no crash: %+v", record)
				}
				if record.ISA != where.isa || len(record.Exit.Crash.Registers) == 0 {
					t.Errorf("it crashed on %s with registers %v", record.ISA, record.Exit.Crash.Registers)
				}
				inFile := false
				for _, frame := range record.Exit.Crash.Backtrace {
					inFile = inFile || frame.Function == how.caller && strings.HasSuffix(frame.File, "crash.c") && frame.Line > 0
				}
				if !inFile {
					t.Errorf("the backtrace has no line of %s: %+v", how.caller, record.Exit.Crash.Backtrace)
				}
				if human := ctl(t, ctx, f.server, "inspect", name); !strings.Contains(human, how.caller) {
					t.Errorf("inspect does not show the backtrace:\n%s", human)
				}
			})
		}
	}
}
