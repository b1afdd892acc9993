// Package sdnotify tells systemd how its service does: sd_notify(3) and sd_watchdog_enabled(3).
package sdnotify

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// A Notifier speaks to the service manager. A nil one speaks to nobody.
type Notifier struct {
	conn     *net.UnixConn
	watchdog time.Duration // within which to say that all is well; 0: nobody asks
}

// FromEnv returns the Notifier of this service, or nil where there is no service manager. It
// takes the variables out of the environment: they are not for the processes of VMs.
func FromEnv() (*Notifier, error) {
	socket, usec, pid := take("NOTIFY_SOCKET"), take("WATCHDOG_USEC"), take("WATCHDOG_PID")
	if socket == "" {
		return nil, nil
	}
	// A leading @ stands for the abstract namespace, there and for package net.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	n := &Notifier{conn: conn}
	if us, err := strconv.ParseInt(usec, 10, 64); err == nil && us > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n, nil
}

func take(name string) string {
	value := os.Getenv(name)
	os.Unsetenv(name)
	return value
}

// Ready says that the service serves.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Stopping says that it shuts down.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Run keeps the watchdog from barking and the status line up to date, until the context
// ends. status must return soon; while it does not, the service hangs, and the watchdog
// ends it.
func (n *Notifier) Run(ctx context.Context, status func() string) {
	if n == nil {
		return
	}
	interval := 10 * time.Second
	if n.watchdog > 0 {
		interval = min(interval, n.watchdog/3)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		message := "STATUS=" + status()
		if n.watchdog > 0 {
			message += "\nWATCHDOG=1"
		}
		_ = n.send(message) // a manager that does not listen will not be told that either
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (n *Notifier) send(message string) error {
	if n == nil {
		return nil
	}
	if _, err := n.conn.Write([]byte(message)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
