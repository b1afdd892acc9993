package board

import (
	"bytes"
	"io"
	"sync"

	"github.com/migrated/migrated/testbed/board/control"
)

// A console keeps what a board says on its serial port.
type console struct {
	mu    sync.Mutex
	text  bytes.Buffer
	copy  io.Writer     // may be nil
	ready chan struct{} // closed at the line that says so
	seen  bool
}

func newConsole(copy io.Writer) *console { return &console{copy: copy, ready: make(chan struct{})} }

// Write takes output; it never fails, for that would end QEMU.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The terminal ends lines with \r\n.
	text := bytes.ReplaceAll(p, []byte("\r"), nil)
	c.text.Write(text)
	if !c.seen && bytes.Contains(c.text.Bytes(), []byte(control.Ready+"\n")) {
		c.seen = true
		close(c.ready)
	}
	if c.copy != nil {
		c.copy.Write(text)
	}
	return len(p), nil
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}
