package vmproc

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUsage measures a process that computes, until it is gone.
func TestUsage(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	pidfd := -1
	cmd.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	defer unix.Close(pidfd)
	p := &Process{pidfd: pidfd}
	var u Usage
	for u.CPU < 3*clockTick {
		var err error
		if u, err = p.Usage(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if u.Resident == 0 || u.Resident > 1<<30 {
		t.Errorf("%d bytes are resident", u.Resident)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if _, err := p.Usage(); !errors.Is(err, ErrGone) {
		t.Errorf("of a process that is gone: %v", err)
	}
}

func TestParseUsage(t *testing.T) {
	const stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 9 9 20 0 1 0 1 1 1"
	u, err := parseUsage(stat, "900 25 3 4 0 5 0\n")
	if err != nil || u.CPU != 3*time.Second || u.Resident != 25*4096 {
		t.Errorf("%+v, %v", u, err)
	}
	for _, bad := range [][2]string{{"", ""}, {"7 (x) S", "1 2"}, {stat, "1"}, {stat, "1 x"}, {"7 (x) S 1 1 1 1 1 1 1 1 1 1 x 1 1", "1 2"}} {
		if _, err := parseUsage(bad[0], bad[1]); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
