package vmm_test

import (
	"strings"
	"testing"

	"github.com/migrated/migrated/vmm"
)

func TestCrashes(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		how, says string
		status    int
		innermost string // function
	}{
		{"null", "page fault: null pointer (address 0x8)", 139, "crash_null"},
		{"wild", "page fault: wild jump to 0x123456", 139, ""},
		{"call-null", "page fault: call of a null pointer (address 0x0)", 139, ""},
		{"stack", "page fault: stack overflow of thread 1", 139, "crash_deep"},
		{"canonical", "", 139, "crash_canonical"},
		{"trap", "", 0, "crash_trap"},
		{"abort", "abort: assertion failed", 134, "ring"},
		{"memory", "out of memory: no memory", 137, "ring"},
	} {
		for _, a := range isas {
			t.Run(test.how+"/"+a.Name, func(t *testing.T) {
				c := newConsole()
				g := b.start(t, a, c, "crash", test.how)
				<-g.Done()
				e := g.Exit()
				if e.Crash == nil {
					t.Fatalf("no crash: exit %+v, output %q", e, c.stdout())
				}
				text := e.Crash.String()
				t.Log(text)
				if !strings.Contains(text, test.says) {
					t.Errorf("does not say %q", test.says)
				}
				if test.status != 0 && e.Code != test.status || e.Code != 128+e.Signal {
					t.Errorf("status %d, signal %d, want %d", e.Code, e.Signal, test.status)
				}
				trace := e.Crash.Backtrace
				if test.innermost == "" && trace[0].Function != "" || !strings.HasPrefix(trace[0].Function, test.innermost) {
					t.Errorf("innermost is %q, want %q", trace[0].Function, test.innermost)
				}
				want := []string{"crash", "run"}
				if test.how == "stack" {
					want = []string{"crash_deep", "crash_deep"}
				}
				if !hasCalls(trace, want...) {
					t.Errorf("%v do not follow each other in the backtrace", want)
				}
			})
		}
	}
}

// hasCalls says whether the functions, inner ones first, follow each other in a backtrace,
// each with a line of the source.
func hasCalls(trace []vmm.Frame, functions ...string) bool {
	for i := range trace {
		n := 0
		for n < len(functions) && i+n < len(trace) && trace[i+n].Function == functions[n] &&
			strings.HasSuffix(trace[i+n].File, "main.c") && trace[i+n].Line > 0 {
			n++
		}
		if n == len(functions) {
			return true
		}
	}
	return false
}
