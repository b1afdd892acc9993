package sdnotify

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// manager listens as systemd does.
func manager(t *testing.T, name string) func() string {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return func() string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1000)
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestNotify(t *testing.T) {
	for _, socket := range []string{filepath.Join(t.TempDir(), "notify"), "@migrated-test-" + strconv.Itoa(os.Getpid())} {
		receive := manager(t, socket)
		t.Setenv("NOTIFY_SOCKET", socket)
		t.Setenv("WATCHDOG_USEC", "3000")
		t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
		n, err := FromEnv()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
			if value, ok := os.LookupEnv(name); ok {
				t.Errorf("%s=%s is left for other processes", name, value)
			}
		}
		if err := n.Ready(); err != nil {
			t.Fatal(err)
		}
		if got := receive(); got != "READY=1" {
			t.Errorf("ready: %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			n.Run(ctx, func() string { return "fine" })
			close(ended)
		}()
		for range 3 {
			if got := receive(); got != "STATUS=fine\nWATCHDOG=1" {
				t.Errorf("alive: %q", got)
			}
		}
		cancel()
		<-ended
	}
}

// TestHang: a service that hangs says nothing, so the watchdog barks.
func TestHang(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	receive := manager(t, socket)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "3000")
	n, err := FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls, hang := make(chan int, 100), make(chan struct{})
	defer close(hang)
	go n.Run(ctx, func() string {
		calls <- 1
		if len(calls) == 2 {
			<-hang
		}
		return ""
	})
	receive()
	for len(calls) < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := n.Stopping(); err != nil {
		t.Fatal(err)
	}
	if got := receive(); got != "STOPPING=1" {
		t.Errorf("while it hangs it says %q", got)
	}
}

// TestNobody: without a manager, or with a watchdog for another process, nothing is said.
func TestNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n, err := FromEnv()
	if n != nil || err != nil {
		t.Fatalf("%v, %v", n, err)
	}
	if n.Ready() != nil || n.Stopping() != nil {
		t.Error("speaking to nobody failed")
	}
	n.Run(t.Context(), nil)

	socket := filepath.Join(t.TempDir(), "notify")
	manager(t, socket)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "3000")
	t.Setenv("WATCHDOG_PID", "1")
	if n, err = FromEnv(); err != nil || n.watchdog != 0 {
		t.Errorf("another's watchdog: %v, %v", n, err)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	if _, err = FromEnv(); err == nil {
		t.Error("a manager that is not there was reached")
	}
}
