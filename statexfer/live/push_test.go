package live

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/testbed/loopback"
)

// ends are one side's of streams that are there.
type ends map[uint8]net.Conn

func (e ends) Open(ctx context.Context, number uint8) (net.Conn, error) {
	c := e[number]
	delete(e, number)
	if c == nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// A blank area is memory that nobody touches.
type blank struct {
	mem    []byte
	closed chan struct{}
}

func (b *blank) Fault() (uint64, error) {
	<-b.closed
	return 0, errors.New("closed")
}

func (b *blank) Copy(page uint64, data []byte) (bool, error) {
	copy(b.mem[page*statexfer.PageSize:], data)
	return true, nil
}

func (b *blank) Zero(uint64, uint64) (bool, error) { return true, nil }
func (b *blank) Wake(uint64) error                 { return nil }
func (b *blank) Close() error                      { close(b.closed); return nil }

// The push begins when the guest is up, however long that takes.
func TestPushAwaitsGuest(t *testing.T) {
	const n = 500
	mem := bytes.Repeat([]byte{7}, n*statexfer.PageSize)
	source, target := ends{}, ends{}
	for _, number := range []uint8{DemandStream, PushStream} {
		source[number], target[number] = loopback.Pair(t)
	}
	later := statexfer.NewBitmap(n)
	for p := range uint64(n) {
		later.Set(p)
	}
	server := NewServer(mem, &Result{Leaves: make([]uint64, n)}, statexfer.Auto, 0, nil, nil)
	server.pause = time.Hour
	served := make(chan error, 1)
	go func() { served <- server.Serve(t.Context(), source) }()
	area := &blank{make([]byte, len(mem)), make(chan struct{})}
	f := NewFiller(area, later, make([]uint64, n), nil)
	filled := make(chan error, 1)
	go func() { filled <- f.Fill(t.Context(), target) }()
	f.Up()
	if err := errors.Join(<-filled, <-served); err != nil || !bytes.Equal(mem, area.mem) {
		t.Errorf("%v; memory equal: %v", err, bytes.Equal(mem, area.mem))
	}
}
