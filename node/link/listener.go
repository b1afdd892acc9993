package link

import (
	"net"
	"sync"
)

// A queue is a net.Listener that is fed by others: with control streams of all links, or
// with the connections of operators.
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
