package vmm

import (
	"bytes"
	"testing"
	"time"
)

func TestBootBlob(t *testing.T) {
	got, err := bootBlob(&Config{
		Args: []string{"a", ""},
		Env:  []string{"K=V"},
		Files: []File{{
			Path: "/f", Mode: 0o644, ModTime: time.Unix(1, 2), Data: []byte("data"),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// As kernel/include/host_abi.h says.
	want := []byte("\x02\x00\x00\x00" + "\x01\x00\x00\x00a\x00" + "\x00\x00\x00\x00\x00" +
		"\x01\x00\x00\x00" + "\x03\x00\x00\x00K=V\x00" +
		"\x01\x00\x00\x00" + "\xa4\x01\x00\x00" + "\x04\x00\x00\x00\x00\x00\x00\x00" +
		"\x02\xca\x9a\x3b\x00\x00\x00\x00" + "\x02\x00\x00\x00/f\x00" + "data")
	if !bytes.Equal(got, want) {
		t.Errorf("blob\n%q, want\n%q", got, want)
	}
}

func TestClock(t *testing.T) {
	now := time.Now()
	c := resumeClock(&Left{Mono: 1000, Wall: now.Add(-time.Second)}, now)
	if got := c.now(now); got != 1000+1e9 {
		t.Errorf("a second after it left at 1000 it is %d", got)
	}
	if got := c.now(now.Add(5)); got != 1000+1e9+5 {
		t.Errorf("5 ns later it is %d", got)
	}
	// The target's clock is behind.
	c = resumeClock(&Left{Mono: 1000, Wall: now.Add(time.Hour)}, now)
	if got := c.now(now); got != 1000 {
		t.Errorf("time went back to %d", got)
	}
	if d := c.until(5000, now); d != 4000 {
		t.Errorf("until 5000: %v", d)
	}
	if d := c.until(500, now); d != 0 {
		t.Errorf("until the past: %v", d)
	}
	if d := c.until(1<<63, now); d != maxTimer {
		t.Errorf("until the far future: %v", d)
	}
}
