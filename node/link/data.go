package link

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// expected are the moves whose memory may come on a data stream.
type expected struct {
	mu    sync.Mutex
	moves map[Token]*Expected
}

// An Expected data stream belongs to one move from one peer, and comes once.
type Expected struct {
	all   *expected
	token Token
	peer  string
	conn  chan net.Conn // room for one
	link  *Link
}

// Expect says that a data stream with this token may come from the named peer. The caller
// must Cancel it when the move is over.
func (h *Hub) Expect(token Token, peer string) (*Expected, error) {
	h.data.mu.Lock()
	defer h.data.mu.Unlock()
	if _, ok := h.data.moves[token]; ok {
		return nil, fmt.Errorf("move %s is known already", token)
	}
	e := &Expected{all: &h.data, token: token, peer: peer, conn: make(chan net.Conn, 1)}
	h.data.moves[token] = e
	return e, nil
}

// Wait returns the stream once it is there.
func (e *Expected) Wait(ctx context.Context) (net.Conn, error) {
	select {
	case c := <-e.conn:
		return c, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for memory from %s: %w", e.peer, context.Cause(ctx))
	}
}

// Cancel forgets the stream, and closes it if it came and nobody took it.
func (e *Expected) Cancel() {
	e.all.mu.Lock()
	delete(e.all.moves, e.token)
	e.all.mu.Unlock()
	select {
	case c := <-e.conn:
		c.Close()
	default:
	}
}

// deliver hands a stream to the move that waits for it, once.
func (x *expected) deliver(token Token, l *Link, c net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.moves[token]
	if e == nil || e.peer != l.Name() || e.link != nil {
		return false
	}
	e.link = l
	e.conn <- c
	return true
}
