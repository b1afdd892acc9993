package vmproc

import (
	"context"
	"net"
	"sync"

	"github.com/migrated/migrated/statexfer/live"
)

// Post-copy's streams are opened while the guest still runs at its source: dialling, and above all
// showing each other who one is, would else be a part of the downtime. Nothing flows on them before
// the commitment.

// An ahead is a pair of streams of which the first of each number is opened before it is asked for.
type ahead struct {
	live.Streams
	cancel context.CancelFunc // of what is being opened
	all    sync.WaitGroup
	opened chan struct{} // closed when all that could be opened are

	mu    sync.Mutex
	early map[uint8]chan opened // of one each; an entry goes to who takes it
}

// An opened is what came of opening a stream.
type opened struct {
	conn net.Conn
	err  error
}

func openAhead(ctx context.Context, s live.Streams) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{Streams: s, cancel: cancel, opened: make(chan struct{}), early: make(map[uint8]chan opened)}
	for _, number := range []uint8{live.DemandStream, live.PushStream} {
		ch := make(chan opened, 1)
		a.early[number] = ch
		a.all.Go(func() {
			c, err := s.Open(ctx, number)
			ch <- opened{c, err}
		})
	}
	go func() {
		a.all.Wait()
		close(a.opened)
	}()
	return a
}

// Open implements live.Streams.
func (a *ahead) Open(ctx context.Context, number uint8) (net.Conn, error) {
	a.mu.Lock()
	ch := a.early[number]
	delete(a.early, number)
	a.mu.Unlock()
	if ch == nil {
		return a.Streams.Open(ctx, number)
	}
	select {
	case o := <-ch:
		if o.err != nil { // it had its chance
			return a.Streams.Open(ctx, number)
		}
		return o.conn, nil
	case <-ctx.Done():
		a.mu.Lock()
		a.early[number] = ch
		a.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// close ends what nobody has taken.
func (a *ahead) close() {
	a.cancel()
	a.all.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ch := range a.early {
		if o := <-ch; o.conn != nil {
			o.conn.Close()
		}
	}
	clear(a.early)
}
