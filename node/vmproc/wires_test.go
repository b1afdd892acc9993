package vmproc

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/node/channel"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// wires are the streams of a move between two processes, as TCP connections that the processes
// have themselves. They have the move's keys.
type wires struct {
	dialling sync.Mutex // else two that dial at once get each other's

	t              *testing.T
	source, target *pb.MoveKeys
	ln             net.Listener

	mu  sync.Mutex
	far map[uint8]chan net.Conn // that the source has opened
}

func newWires(t *testing.T) *wires {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	a, err := channel.NewKeys()
	check(t, err)
	b, err := channel.NewKeys()
	check(t, err)
	return &wires{t: t, source: a.With(b.Digest()), target: b.With(a.Digest()), ln: ln, far: map[uint8]chan net.Conn{}}
}

func (w *wires) waiting(number uint8) chan net.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.far[number] == nil {
		w.far[number] = make(chan net.Conn, 16)
	}
	return w.far[number]
}

// Open is the source's: it dials.
func (w *wires) Open(_ context.Context, number uint8) (net.Conn, error) {
	ours, other := w.pair()
	w.waiting(number) <- other
	return ours, nil
}

// accepting are the target's: it waits.
type accepting struct{ *wires }

func (w accepting) Open(ctx context.Context, number uint8) (net.Conn, error) {
	select {
	case c := <-w.waiting(number):
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// pair is a connection's two ends.
func (w *wires) pair() (net.Conn, net.Conn) {
	w.dialling.Lock()
	defer w.dialling.Unlock()
	a, err := net.Dial("tcp", w.ln.Addr().String())
	check(w.t, err)
	b, err := w.ln.Accept()
	check(w.t, err)
	return socket{a.(*net.TCPConn)}, socket{b.(*net.TCPConn)}
}

// A socket can be given away.
type socket struct{ *net.TCPConn }

func (s socket) Socket() (*os.File, error) {
	defer s.TCPConn.Close()
	return s.TCPConn.File()
}

// A process does not send memory to another machine that it has no keys for.
func TestNothingInTheClear(t *testing.T) {
	d := newDaemon(t)
	vm := d.run("a", "cat")
	w := newWires(t)
	if _, err := vm.Send(t.Context(), w, sendOptions(), nil); err == nil || err.Error() != errClear.Error() {
		t.Errorf("sent without keys: %v", err)
	}
	_, err := vm.Input(t.Context(), 0, nil, true)
	check(t, err)
	if e := ended(t, vm); e.GetExit().GetCode() != 0 {
		t.Errorf("ended with %v", e)
	}
}

// Who has not the keys of a move, though it gets the first connection, gets nothing of it and is
// in nobody's way; a source whose target is another sends nothing and goes on.
func TestThief(t *testing.T) {
	w, other := newWires(t), newWires(t)
	thief, own := w.pair()
	defer thief.Close()
	go func() {
		c := channel.NewClient(thief, must(channel.Config(other.source)))
		c.Write([]byte("something")) // fails, or is refused
		c.Close()
	}()
	good, goodOwn := w.pair()
	go func() {
		c := channel.NewClient(good, must(channel.Config(w.source)))
		c.Write([]byte("memory"))
	}()
	next := make(chan net.Conn, 2)
	next <- own
	next <- goodOwn
	s, err := secure(queued(next), w.target, atTarget)
	check(t, err)
	c, err := s.Open(t.Context(), FirstStream)
	check(t, err)
	b := make([]byte, 6)
	if n, err := c.Read(b); string(b[:n]) != "memory" || err != nil {
		t.Errorf("got %q, %v", b[:n], err)
	}
	c.Close()

	far, own := w.pair()
	go channel.NewServer(far, must(channel.Config(other.target))).Handshake()
	next <- own
	if s, err = secure(queued(next), w.source, atSource); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenOnce(t.Context(), FirstStream); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another target: %v", err)
	}
	// One that says nothing is left with the context.
	silent, own := w.pair()
	defer silent.Close()
	next <- own
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.OpenOnce(ctx, FirstStream); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent target: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// queued are streams that come one after the other.
type queued chan net.Conn

func (q queued) Open(context.Context, uint8) (net.Conn, error) { return <-q, nil }
