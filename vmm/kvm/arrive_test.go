package kvm_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/vmm"
)

// A departure is a guest that has left one machine, for a test that resumes it on another.
type departure struct {
	Left    vmm.Left
	Printed string   // until then
	Want    string   // what it prints altogether
	Exit    vmm.Exit // how it ends
}

const (
	departureFile = "departure.json"
	memoryFile    = "departure.mem"
)

// depart runs a guest half-way and leaves its state in files, whose names it returns.
func depart(t *testing.T, dir string) []string {
	t.Helper()
	const points, half = "3000", 1500
	still := start(t, "count", points)
	d := departure{Exit: still.wait(), Want: still.out.stream(vmm.Stdout)}
	v := newVM(t, newOutput(), false, "count", points)
	v.LeaveAt(half)
	check(t, v.Start(nil))
	left, err := v.AwaitLeft(t.Context())
	check(t, err)
	d.Left, d.Printed = *left, v.out.stream(vmm.Stdout)
	text, err := json.Marshal(d)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, departureFile), text, 0o644))
	check(t, os.WriteFile(filepath.Join(dir, memoryFile), v.Memory(), 0o644))
	return []string{departureFile, memoryFile}
}

// TestArrive resumes a guest that left a machine of the other ISA. TestOnBoard brings it.
func TestArrive(t *testing.T) {
	needKVM(t)
	if *guestDir == "" {
		t.Skip("no guest has left another machine: TestOnBoard makes one")
	}
	text, err := os.ReadFile(filepath.Join(*guestDir, departureFile))
	check(t, err)
	var d departure
	check(t, json.Unmarshal(text, &d))
	memory, err := os.ReadFile(filepath.Join(*guestDir, memoryFile))
	check(t, err)
	v := newVM(t, newOutput(), true)
	if n := copy(v.Memory(), memory); n != len(memory) || n != len(v.Memory()) {
		t.Fatalf("%d bytes of memory for %d", len(memory), len(v.Memory()))
	}
	check(t, v.Start(&d.Left))
	if e := v.wait(); e.Code != d.Exit.Code || e.Crash != nil {
		t.Errorf("exit %+v %+v, want %+v", e, e.Crash, d.Exit)
	}
	got := d.Printed + v.out.stream(vmm.Stdout)
	if got != d.Want || d.Printed == "" || !strings.HasPrefix(d.Want, d.Printed) || len(d.Printed) == len(d.Want) {
		t.Errorf("printed %q before and %q altogether, want %q", d.Printed, got, d.Want)
	}
}
