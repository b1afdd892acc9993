package qemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A control is a connection by which QEMU is told what to do (docs/interop/qmp-spec.txt in
// QEMU's source): one JSON object a line, answers in order, events in between.
type control struct {
	conn    io.ReadWriteCloser
	answers chan answer
	asking  sync.Mutex

	mu     sync.Mutex
	events map[string]time.Time // the last of each kind
}

// An answer is a message that is no event.
type answer struct {
	result json.RawMessage
	err    error
}

func newControl(conn io.ReadWriteCloser) *control {
	c := &control{conn: conn, answers: make(chan answer), events: map[string]time.Time{}}
	go c.read()
	return c
}

// do carries out a command and decodes what it returns into result, if that is not nil.
func (c *control) do(command string, arguments, result any) error {
	c.asking.Lock()
	defer c.asking.Unlock()
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("QEMU: %s: %w", command, err)
	}
	a, ok := <-c.answers
	if !ok {
		a.err = io.ErrUnexpectedEOF
	}
	if a.err == nil && result != nil {
		a.err = json.Unmarshal(a.result, result)
	}
	if a.err != nil {
		return fmt.Errorf("QEMU: %s: %w", command, a.err)
	}
	return nil
}

// event says when QEMU last told of one.
func (c *control) event(name string) (at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok = c.events[name]
	return at, ok
}

// read takes messages until the connection ends.
func (c *control) read() {
	defer close(c.answers)
	for in := json.NewDecoder(c.conn); ; {
		var m struct {
			Return json.RawMessage
			Error  *struct{ Class, Desc string }
			Event  string

			Timestamp struct{ Seconds, Microseconds int64 }
		}
		if err := in.Decode(&m); err != nil {
			return
		}
		switch {
		case m.Error != nil:
			c.answers <- answer{err: errors.New(m.Error.Desc)}
		case m.Return != nil:
			c.answers <- answer{result: m.Return}
		case m.Event != "":
			c.mu.Lock()
			c.events[m.Event] = time.UnixMicro(m.Timestamp.Seconds*1e6 + m.Timestamp.Microseconds)
			c.mu.Unlock()
		}
	}
}

func (c *control) close() { c.conn.Close() }
