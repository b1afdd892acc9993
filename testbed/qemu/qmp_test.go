package qemu

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// script is a QEMU that greets, and answers each line with the next of its replies.
func script(t *testing.T, replies ...string) *control {
	t.Helper()
	ours, theirs := net.Pipe()
	c := newControl(ours)
	t.Cleanup(c.close)
	go func() {
		defer theirs.Close()
		io.WriteString(theirs, `{"QMP": {"version": {}, "capabilities": []}}`+"\n")
		lines := bufio.NewReader(theirs)
		for _, reply := range replies {
			line, err := lines.ReadBytes('\n')
			if err != nil || !json.Valid(line) {
				return
			}
			io.WriteString(theirs, reply+"\n")
		}
	}()
	return c
}

func TestControl(t *testing.T) {
	c := script(t,
		`{"return": {}}`,
		`{"event": "STOP", "timestamp": {"seconds": 7, "microseconds": 250000}}
		 {"return": {"status": "completed", "total-time": 31, "downtime": 4, "ram": {"dirty-sync-count": 3}}}`,
		`{"error": {"class": "GenericError", "desc": "no such thing"}}`)
	if err := c.do("qmp_capabilities", nil, nil); err != nil {
		t.Fatal(err)
	}
	var s status
	if err := c.do("query-migrate", nil, &s); err != nil {
		t.Fatal(err)
	}
	if done, err := s.done(); !done || err != nil || s.Total != 31 || s.Downtime != 4 || s.RAM.Rounds != 3 {
		t.Errorf("%+v: %v, %v", s, done, err)
	}
	if at, ok := c.event("STOP"); !ok || !at.Equal(time.Unix(7, 250e6)) {
		t.Errorf("event at %v, %v", at, ok)
	}
	if _, ok := c.event("RESUME"); ok {
		t.Error("an event that never came")
	}
	if err := c.do("x", nil, nil); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("a refusal is %v", err)
	}
	if err := c.do("x", nil, nil); err == nil {
		t.Error("QEMU that is gone is no error")
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		text       string
		done, fail bool
	}{
		{`{}`, false, false}, // before the move
		{`{"status": "active", "total-time": 5}`, false, false},
		{`{"status": "completed"}`, false, false},
		{`{"status": "completed", "total-time": 5}`, true, false},
		{`{"status": "failed", "error-desc": "full"}`, false, true},
		{`{"status": "cancelled"}`, false, true},
	} {
		var s status
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Fatal(err)
		}
		if done, err := s.done(); done != c.done || (err != nil) != c.fail {
			t.Errorf("%s: %v, %v", c.text, done, err)
		}
	}
}
