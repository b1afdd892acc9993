package vmproc

import (
	"errors"
	"net"
	"testing"
	"time"
)

// A move that is called off just before it reads or writes ends then, not when the other side has
// been silent for long.
func TestCalledOffBeforeIO(t *testing.T) {
	for name, do := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write(make([]byte, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			c := &stallConn{Conn: here, stall: time.Hour}
			check(t, c.SetDeadline(time.Unix(1, 0)))
			done := make(chan error, 1)
			go func() { done <- do(c) }()
			select {
			case err := <-done:
				if !errors.Is(err, ErrStalled) {
					t.Errorf("%v, want %v", err, ErrStalled)
				}
			case <-time.After(20 * time.Second):
				t.Error("it goes on")
			}
		})
	}
}
