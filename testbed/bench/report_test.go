package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	var r report
	r.add("plain", 1, "ms", "")
	r.expect("low", 2, "", 2, "")
	r.expect("high", 2.5, "", 2, "")
	r.expectLeast("fast", 900, "MB/s", 500, "")
	r.expectLeast("slow", 400, "MB/s", 500, "")
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")[1:]
	want := [][]string{
		{"plain", "1.000", "ms"},
		{"low", "2.000", "≤", "2", "ok"},
		{"high", "2.500", "≤", "2", "missed"},
		{"fast", "900", "MB/s", "≥", "500", "MB/s", "ok"},
		{"slow", "400", "MB/s", "≥", "500", "MB/s", "missed"},
	}
	for i, line := range lines {
		if got := strings.Fields(line); strings.Join(got, " ") != strings.Join(want[i], " ") {
			t.Errorf("%q, want %q", got, want[i])
		}
	}
}
