package link

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// A queue is a net.Listener that is fed by others: with control streams of all links, or
// with plain connections that a greeting listener sorted out.
type queue struct {
	conns  chan net.Conn
	done   chan struct{}
	closed sync.Once
	addr   net.Addr
}

func newQueue(addr net.Addr) *queue {
	return &queue{conns: make(chan net.Conn), done: make(chan struct{}), addr: addr}
}

// put hands a connection on, or closes it where nobody will take it.
func (q *queue) put(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.done:
		c.Close()
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.closed.Do(func() { close(q.done) })
	return nil
}

func (q *queue) Addr() net.Addr { return q.addr }

type queueAddr string

func (a queueAddr) Network() string { return "queue" }
func (a queueAddr) String() string  { return string(a) }

// A peekedConn gives back the bytes that were looked at.
type peekedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *peekedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// isLink looks at the first bytes of a connection: our magic, or else HTTP/2, which begins
// with "PRI * HTTP/2.0" (RFC 9113, section 3.4).
func isLink(c net.Conn, timeout time.Duration) (*peekedConn, bool, error) {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, false, err
	}
	p := &peekedConn{Conn: c, r: bufio.NewReaderSize(c, 64)}
	first, err := p.r.Peek(len(magic))
	if err != nil {
		return nil, false, err
	}
	if string(first) == magic {
		return p, true, nil // the deadline stays until the greeting is over
	}
	return p, false, c.SetReadDeadline(time.Time{})
}
