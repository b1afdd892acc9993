package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// A Server is the source of a post-copy once the guest runs at the target: memory that stands
// still, and the hashes of what the target has of it.
type Server struct {
	mem    []byte
	codec  statexfer.Codec
	pages  uint64
	pace   *statexfer.Pace // what is asked for counts, and is not held back: the guest waits for it
	piece  int             // pages pushed in one frame
	pause  time.Duration   // how long the push waits for the guest
	report func(Progress)
	begin  <-chan struct{} // closed when pages may go; nil: they may
	asked  chan struct{}   // closed when the target has asked for a page
	once   sync.Once       // closes it

	mu     sync.Mutex
	rest   statexfer.Bitmap // pages that the target lacks and that are not under way
	left   uint64           // of them
	next   uint64           // where the push goes on: behind the last page asked for
	leaves []uint64
	sent   statexfer.Stats
}

// NewServer serves what res has left to post-copy, from when begin is closed; nil: at once. bandwidth
// is how many bytes a second it may take; 0: what the link takes.
func NewServer(mem []byte, res *Result, codec statexfer.Codec, bandwidth uint64, begin <-chan struct{}, report func(Progress)) *Server {
	if report == nil {
		report = func(Progress) {}
	}
	piece := pushPages
	if bandwidth > 0 { // nothing is to be on its way for long
		piece = int(min(max(bandwidth/10/statexfer.PageSize, 1), pushPages))
	}
	return &Server{
		mem: mem, codec: codec, pages: uint64(len(mem)) / statexfer.PageSize, leaves: res.Leaves,
		pace: statexfer.NewPace(bandwidth), piece: piece, pause: pushPause, begin: begin, report: report,
		asked: make(chan struct{}),
	}
}

const (
	// pushPages is how many pages are pushed in one frame, pushWindow how many frames may be
	// under way: what is in the network is in the way of pages that the guest waits for.
	pushPages  = 32
	pushWindow = 4
	// pushPause is how long the push waits at most for a guest that comes up and has touched nothing yet:
	// what it needs for that came with the transfer, and pages would be in its way. It waits as long for
	// a target of an earlier version, which does not say when it is up.
	pushPause = 250 * time.Millisecond
	// around is how many pages come with one that was asked for.
	around = 8
)

// Serve sends the target what it lacks until it says that it has all. When a stream breaks, it
// opens the streams anew; it ends with ctx.
func (s *Server) Serve(ctx context.Context, streams Streams) error {
	for {
		done, err := s.connect(ctx, streams)
		if done {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, errStreams) {
			return err
		}
		select { // they broke
		case <-time.After(reconnectPause):
		case <-ctx.Done():
		}
	}
}

// reconnectPause is before streams that broke are opened again.
const reconnectPause = 20 * time.Millisecond

// errStreams says that streams cannot be had any more.
var errStreams = errors.New("no stream to the other side")

// connect serves one pair of streams.
func (s *Server) connect(ctx context.Context, streams Streams) (done bool, err error) {
	demand, push, missing, err := accept(ctx, streams, s.pages)
	if err != nil {
		return false, err
	}
	defer demand.Close()
	defer push.Close()
	stop := context.AfterFunc(ctx, func() { demand.Close(); push.Close() })
	defer stop()
	if s.begin != nil {
		select {
		case <-s.begin:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	s.mu.Lock()
	s.rest, s.left = missing, missing.Count()
	s.mu.Unlock()
	pushing, over := context.WithCancel(ctx)
	pushed := make(chan struct{})
	go func() {
		defer close(pushed)
		if s.push(pushing, push) != nil {
			demand.Close() // begin anew
		}
	}()
	done, err = s.answer(demand)
	over()
	push.Close()
	<-pushed
	return done, err
}

// take removes up to n pages from the rest, from a page on within limit.
func (s *Server) take(pages []uint64, from, limit uint64, n int) []uint64 {
	for p := s.rest.Next(from, limit); p < limit && len(pages) < n; p = s.rest.Next(p+1, limit) {
		s.rest.Clear(p)
		s.left--
		pages = append(pages, p)
	}
	return pages
}

// answer sends pages that are asked for, each with some around it.
func (s *Server) answer(conn net.Conn) (done bool, err error) {
	w := statexfer.NewPageWriter(conn, s.mem, s.codec)
	defer w.Close()
	var pages []uint64
	for {
		page, err := readRequest(conn, s.pages)
		if err != nil {
			return false, err
		}
		if page == complete {
			return s.finish(conn)
		}
		s.once.Do(func() { close(s.asked) })
		first := page / around * around
		s.mu.Lock()
		pages = s.take(pages[:0], page, page+1, 1)
		if len(pages) > 0 {
			pages = s.take(pages[:0], first, page, around)
			pages = append(pages, page)
			pages = s.take(pages, page+1, min(first+around, s.pages), around)
		} // else it is under way on the other stream
		s.next = first + around
		s.mu.Unlock()
		if len(pages) > 0 {
			before := w.Stats().WireBytes
			if _, err := w.Write(pages, s.leaves); err != nil {
				return false, err
			}
			s.pace.Spent(w.Stats().WireBytes - before)
		}
	}
}

// finish answers the target, which says that it has all.
func (s *Server) finish(conn net.Conn) (done bool, err error) {
	var theirs [32]byte
	if _, err := io.ReadFull(conn, theirs[:]); err != nil {
		return false, err
	}
	answer := byte(0)
	s.mu.Lock()
	if s.left == 0 && statexfer.DigestOf(s.leaves) == theirs {
		answer = 1
	}
	s.mu.Unlock()
	if _, err := conn.Write([]byte{answer}); err != nil {
		return false, err
	}
	if answer == 0 {
		return true, fmt.Errorf("the target's memory has another digest: %w", statexfer.ErrDigest)
	}
	return true, nil
}

// push sends pages that nobody has asked for, those behind the last that somebody has first.
func (s *Server) push(ctx context.Context, conn net.Conn) error {
	w := statexfer.NewPageWriter(conn, s.mem, s.codec)
	defer w.Close()
	up, placed := make(chan struct{}), make(chan struct{}, pushWindow)
	go func() {
		defer close(placed)
		var b [1]byte
		for n := 0; ; n++ {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
			if n == 0 {
				close(up)
				continue
			}
			placed <- struct{}{}
		}
	}()
	defer func() {
		conn.Close()
		for range placed {
		}
	}()
	select {
	case <-up:
	case <-s.asked:
	case <-time.After(s.pause):
	case <-ctx.Done():
	}
	var pages []uint64
	for underWay := 0; ; {
		for underWay >= pushWindow {
			if _, ok := <-placed; !ok {
				return io.ErrUnexpectedEOF
			}
			underWay--
		}
		if err := s.pace.Wait(ctx); err != nil {
			return err
		}
		s.mu.Lock()
		if pages = s.take(pages[:0], s.next, s.pages, s.piece); len(pages) == 0 {
			pages = s.take(pages, 0, s.pages, s.piece)
		}
		if n := len(pages); n > 0 {
			s.next = pages[n-1] + 1
		}
		left := s.left
		s.mu.Unlock()
		if len(pages) == 0 { // until the target has the last ones
			for range placed {
			}
			return nil
		}
		before := w.Stats().WireBytes
		frames, err := w.Write(pages, s.leaves)
		if err != nil {
			return err
		}
		s.pace.Spent(w.Stats().WireBytes - before)
		underWay += frames
		s.report(Progress{Mode: PostCopy, Memory: w.Stats(), Remaining: left})
	}
}
