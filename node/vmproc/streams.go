package vmproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A stream is what came of asking for one.
type stream struct {
	conn net.Conn
	err  error
}

// Open asks the daemon for a stream to the other side of the move. It implements Streams.
func (s *serving) Open(ctx context.Context, number uint8) (net.Conn, error) {
	c := s.child
	got := make(chan *stream, 1)
	c.mu.Lock()
	if c.daemon != s.daemon {
		c.mu.Unlock()
		return nil, errDaemonGone
	}
	c.request++
	id := c.request
	c.wanted[id] = got
	c.mu.Unlock()
	want := &pb.ProcessStreamWanted{Request: id, Of: s.id, Number: uint32(number)}
	if err := s.daemon.send(&pb.FromVM{Message: &pb.FromVM_StreamWanted{StreamWanted: want}}); err != nil {
		return nil, errDaemonGone
	}
	select {
	case st := <-got:
		if st == nil {
			return nil, errDaemonGone
		}
		return st.conn, st.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	delete(c.wanted, id)
	c.mu.Unlock()
	select {
	case st := <-got: // at the same moment
		if st != nil && st.conn != nil {
			st.conn.Close()
		}
	default:
	}
	want.Withdrawn = true
	_ = s.daemon.send(&pb.FromVM{Message: &pb.FromVM_StreamWanted{StreamWanted: want}})
	return nil, fmt.Errorf("open stream %d: %w", number, context.Cause(ctx))
}

// deliver hands a stream to who asked for it.
func (c *child) deliver(m *pb.ProcessStream, files []*os.File) {
	st := new(stream)
	switch {
	case m.Error != "":
		st.err = errors.New(m.Error)
	case len(files) != 1:
		st.err = fmt.Errorf("%d descriptors with a stream", len(files))
	default:
		st.conn, st.err = streamConn(files[0])
	}
	closeAll(files)
	c.mu.Lock()
	got := c.wanted[m.Request]
	delete(c.wanted, m.Request)
	if got != nil {
		got <- st // has room; under the lock, so that a withdrawn one is not lost
	}
	c.mu.Unlock()
	if got == nil && st.conn != nil {
		st.conn.Close()
	}
}

// streamConn makes a connection of a stream's descriptor, which stays the caller's.
func streamConn(f *os.File) (net.Conn, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("use socket: %w", err)
	}
	if t, ok := c.(*net.TCPConn); ok {
		return farConn{t}, nil
	}
	return c, nil
}

// A farConn leads to another machine. The daemon holds the same socket, so it ends only when it
// is shut down.
type farConn struct{ *net.TCPConn }

func (c farConn) Close() error {
	c.CloseWrite() // an error means that the other side has ended it
	c.CloseRead()
	return c.TCPConn.Close()
}

// relayBuffer is what one direction of a relayed stream holds, bytes.
const relayBuffer = 256 << 10

// relay joins two streams until both have ended, or one fails.
func relay(a, b net.Conn) {
	var both sync.WaitGroup
	one := func(to, from net.Conn) {
		_, err := io.CopyBuffer(onlyWriter{to}, onlyReader{from}, make([]byte, relayBuffer))
		if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
			err = half.CloseWrite()
		} else if err == nil { // of a checkpoint: nothing comes back any more
			err = to.Close()
		}
		if err != nil {
			a.Close()
			b.Close()
		}
	}
	both.Go(func() { one(a, b) })
	both.Go(func() { one(b, a) })
	both.Wait()
	a.Close()
	b.Close()
}

// onlyReader and onlyWriter keep io.Copy from ways that do without our buffer.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
