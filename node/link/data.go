package link

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// expected are the moves whose memory may come on data streams.
type expected struct {
	mu    sync.Mutex
	moves map[Token]*Expected
}

// Expected data streams belong to one move from one peer. Of each number one at a time can
// wait to be taken.
type Expected struct {
	all   *expected
	token Token
	peer  string
	conns [MaxStreams]chan net.Conn // room for one each
}

// Expect says that data streams with this token may come from the named peer. The caller
// must Cancel it when the move is over.
func (h *Hub) Expect(token Token, peer string) (*Expected, error) {
	h.data.mu.Lock()
	defer h.data.mu.Unlock()
	if _, ok := h.data.moves[token]; ok {
		return nil, fmt.Errorf("move %s is known already", token)
	}
	e := &Expected{all: &h.data, token: token, peer: peer}
	for i := range e.conns {
		e.conns[i] = make(chan net.Conn, 1)
	}
	h.data.moves[token] = e
	return e, nil
}

// Wait returns the stream with a number once it is there.
func (e *Expected) Wait(ctx context.Context, number uint8) (net.Conn, error) {
	if number >= MaxStreams {
		return nil, fmt.Errorf("a move has no stream %d", number)
	}
	select {
	case c := <-e.conns[number]:
		return c, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for memory from %s: %w", e.peer, context.Cause(ctx))
	}
}

// Cancel forgets the streams, and closes those that came and nobody took.
func (e *Expected) Cancel() {
	e.all.mu.Lock()
	delete(e.all.moves, e.token)
	e.all.mu.Unlock()
	for _, conn := range e.conns {
		select {
		case c := <-conn:
			c.Close()
		default:
		}
	}
}

// deliver hands a stream to the move that waits for it.
func (x *expected) deliver(h header, l *Link, c net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.moves[h.token]
	if e == nil || e.peer != l.Name() {
		return false
	}
	select {
	case e.conns[h.number] <- c:
		return true
	default:
		return false // one waits already
	}
}
