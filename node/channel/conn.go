// Package channel is TLS for much data, and the keys of a move: the connections that carry a
// VM's memory end in the processes of that VM, which have no other keys.
package channel

import (
	"bufio"
	"crypto/tls"
	"net"
	"sync"
)

// A Conn is a connection whose two sides have shown who they are.
type Conn struct {
	*tls.Conn
	below *batch
}

// NewClient begins a TLS connection over another, whose other end calls NewServer. Both shake
// hands when they are asked to, or with the first that is read or written.
func NewClient(raw net.Conn, cfg *tls.Config) *Conn {
	below := newBatch(raw)
	return &Conn{tls.Client(below, cfg), below}
}

// NewServer is the other end of NewClient.
func NewServer(raw net.Conn, cfg *tls.Config) *Conn {
	below := newBatch(raw)
	return &Conn{tls.Server(below, cfg), below}
}

// Write writes all of p in few pieces.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.Handshake(); err != nil { // what it says must not be held back
		return 0, err
	}
	c.below.hold()
	n, err := c.Conn.Write(p)
	if flushErr := c.below.flush(); err == nil && flushErr != nil {
		return 0, flushErr
	}
	return n, err
}

// Close closes without a last word to the other side, which could block. What is said over
// such a connection says itself where it ends.
func (c *Conn) Close() error { return c.below.Close() }

// A batch is the connection below TLS. crypto/tls reads and writes each record of 16 KiB by itself.
// Between hold and flush those that are written are gathered, and as many are read at once as have
// come, so that they cost one system call and not one each.
type batch struct {
	net.Conn
	r *bufio.Reader

	mu   sync.Mutex // of what follows; held while it is written
	held bool
	buf  []byte
}

// How much is gathered at most, bytes. What is read passes through the buffer, which should stay
// in a processor's cache.
const (
	batchSize = 128 << 10
	readSize  = 64 << 10
)

func newBatch(c net.Conn) *batch { return &batch{Conn: c, r: bufio.NewReaderSize(c, readSize)} }

func (b *batch) Read(p []byte) (int, error) { return b.r.Read(p) }

func (b *batch) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.held {
		return b.Conn.Write(p)
	}
	if len(b.buf)+len(p) > batchSize {
		if err := b.write(); err != nil {
			return 0, err
		}
	}
	b.buf = append(b.buf, p...)
	return len(p), nil
}

// hold gathers what is written from now on.
func (b *batch) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = true
}

// flush writes what was gathered.
func (b *batch) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = false
	return b.write()
}

func (b *batch) write() error {
	if len(b.buf) == 0 {
		return nil
	}
	_, err := b.Conn.Write(b.buf)
	b.buf = b.buf[:0]
	return err
}
