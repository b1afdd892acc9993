package live_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/testbed/loopback"
)

// A store plays an area: memory and who waits for it.
type store struct {
	mem    []byte
	mu     sync.Mutex
	come   *sync.Cond
	there  statexfer.Bitmap
	faults chan uint64
	closed chan struct{}
	twice  int // pages that were there already
}

func newStore(mem []byte, missing statexfer.Bitmap) *store {
	n := uint64(len(mem) / statexfer.PageSize)
	s := &store{mem: mem, there: statexfer.NewBitmap(n), faults: make(chan uint64, 1000), closed: make(chan struct{})}
	s.come = sync.NewCond(&s.mu)
	for p := range n {
		if !missing.Has(p) {
			s.there.Set(p)
		} else {
			clear(mem[p*statexfer.PageSize:][:statexfer.PageSize])
		}
	}
	return s
}

func (s *store) Fault() (uint64, error) {
	select {
	case p := <-s.faults:
		return p, nil
	case <-s.closed:
		return 0, errors.New("closed")
	}
}

func (s *store) Copy(page uint64, data []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.place(page, data)
	if !fresh {
		s.twice++
	}
	return fresh, nil
}

func (s *store) place(page uint64, data []byte) bool {
	for i := 0; i < len(data); i += statexfer.PageSize {
		if s.there.Has(page) {
			return false
		}
		copy(s.mem[page*statexfer.PageSize:], data[i:i+statexfer.PageSize])
		s.there.Set(page)
		page++
	}
	s.come.Broadcast()
	return true
}

func (s *store) Zero(page, count uint64) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place(page, make([]byte, count*statexfer.PageSize)), nil
}

func (s *store) Wake(uint64) error { s.come.Broadcast(); return nil }

func (s *store) Close() error { close(s.closed); return nil }

// touch waits for a page, as a guest does.
func (s *store) touch(page uint64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.there.Has(page) {
		s.faults <- page
	}
	for !s.there.Has(page) {
		s.come.Wait()
	}
	return bytes.Clone(s.mem[page*statexfer.PageSize:][:statexfer.PageSize])
}

// A switchboard joins the streams of two sides, and cuts them.
type switchboard struct {
	mu     sync.Mutex
	ends   [3]map[uint8]chan net.Conn // by side
	cutAt  func() int64               // bytes after which a stream breaks; nil: never
	opened int
}

func newSwitchboard() *switchboard {
	b := &switchboard{}
	for i := range b.ends {
		b.ends[i] = make(map[uint8]chan net.Conn)
	}
	return b
}

type side struct {
	board *switchboard
	n     int
}

func (b *switchboard) wait(n int, number uint8) chan net.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends[n][number] == nil {
		b.ends[n][number] = make(chan net.Conn, 1000)
	}
	return b.ends[n][number]
}

// Open makes a pair where the first side asks, and hands it to the second.
func (s side) Open(ctx context.Context, number uint8) (net.Conn, error) {
	if s.n == 1 {
		select {
		case c := <-s.board.wait(1, number):
			return c, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	c, err := l.Accept()
	if err != nil {
		return nil, err
	}
	s.board.mu.Lock()
	s.board.opened++
	cut := s.board.cutAt
	s.board.mu.Unlock()
	if cut != nil {
		c = &cutConn{Conn: c, left: cut()}
	}
	s.board.wait(1, number) <- c
	return a, nil
}

// A cutConn breaks after so many bytes.
type cutConn struct {
	net.Conn
	left int64
}

func (c *cutConn) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		c.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(p)
}

// filled is a post-copy in the middle: the source's memory, and what the target has.
func filled(t *testing.T, n int, mode live.Mode) (*guest, *live.Result, *store, *live.Arrival) {
	t.Helper()
	g := newGuest(t, n, n/2, 0)
	to := memory(t, n)
	res, arrival := move(t, g, live.Plan{Mode: mode, PostCopy: true}, live.Options{Later: true}, to)
	if arrival.Later == nil {
		t.Fatal("nothing is left to post-copy")
	}
	return g, res, newStore(to, arrival.Later), arrival
}

func TestPostCopy(t *testing.T) {
	for _, mode := range []live.Mode{live.PostCopy, live.Hybrid} {
		t.Run(mode.String(), func(t *testing.T) {
			g, res, s, arrival := filled(t, 3000, mode)
			missing := arrival.Later.Next(0, 3000)
			board := newSwitchboard()
			var touched sync.WaitGroup
			for i := range uint64(3) { // three that run already, one of them where nothing ever was
				touched.Go(func() {
					rng := rand.New(rand.NewPCG(i, 0))
					for range 200 {
						p := rng.Uint64N(3000)
						if !bytes.Equal(s.touch(p), g.mem[p*statexfer.PageSize:][:statexfer.PageSize]) {
							t.Errorf("page %d holds something else", p)
						}
					}
				})
			}
			server := live.NewServer(g.mem, res, statexfer.Auto, 0, nil, nil)
			served := make(chan error, 1)
			go func() { served <- server.Serve(t.Context(), side{board, 1}) }()
			filler := live.NewFiller(s, arrival.Later, arrival.Leaves, nil)
			if missing < 3000 {
				touched.Go(func() { s.touch(missing) })
				for filler.Faults() == 0 { // before all could come unasked
					time.Sleep(time.Millisecond)
				}
			} else if mode == live.PostCopy { // of a hybrid move nothing may be left
				t.Error("no page is missing")
			}
			check(t, filler.Fill(t.Context(), side{board, 0}))
			check(t, <-served)
			touched.Wait()
			if !bytes.Equal(g.mem, s.mem) || s.twice > 0 || board.opened != 2 {
				t.Errorf("memory equal: %v, %d pages twice, %d streams", bytes.Equal(g.mem, s.mem), s.twice, board.opened)
			}
		})
	}
}

// A busy guest writes a few pages all the time and others all over, whenever the source sends something or
// looks.
type busy struct {
	*guest
	used uint64 // pages
	rng  *rand.Rand
}

func (b *busy) write() {
	if b.quiesced {
		return
	}
	for p := range uint64(5) {
		b.dirty.Set(p)
	}
	for range 200 {
		b.dirty.Set(b.rng.Uint64N(b.used))
	}
}

func (b *busy) Dirty(set []uint64) error {
	b.write()
	return b.guest.Dirty(set)
}

type watchedConn struct {
	net.Conn
	wrote func()
}

func (c watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote()
	return n, err
}

// What a guest has written while other pages were sent is not sent while it stands still, but for what
// it writes all the time.
func TestPostCopyOfBusy(t *testing.T) {
	const n, used = 8000, 6000
	g := &busy{newGuest(t, n, 0, time.Millisecond), used, rand.New(rand.NewPCG(7, 8))}
	a, b := loopback.Pair(t)
	received := make(chan *live.Arrival, 1)
	go func() {
		arrival, err := live.Receive(context.Background(), b, memory(t, n), live.Options{Later: true})
		if err != nil {
			t.Error(err)
		}
		received <- arrival
	}()
	conn := watchedConn{a, g.write}
	res, _, err := live.Send(t.Context(), conn, g, live.Plan{Mode: live.PostCopy, PostCopy: true}, nil)
	check(t, err)
	arrival := <-received
	if sent := used - int(res.Later.Count()); sent > used/10 || arrival == nil || arrival.Later.Count() != res.Later.Count() {
		t.Errorf("%d pages of %d were sent before the guest was to run", sent, used)
	}
	for p := range uint64(5) {
		if res.Later.Has(p) {
			t.Errorf("page %d, which it writes all the time, is left", p)
		}
	}
}

// What follows a post-copy keeps to the limit too; what the guest waits for does not wait for it.
func TestPostCopyBandwidth(t *testing.T) {
	const n, rate = 3000, 20 << 20 // a quarter is left at least: what the guest writes need not be
	g, res, s, arrival := filled(t, n, live.PostCopy)
	amount := uint64(0)
	for p := arrival.Later.Next(0, n); p < n; p = arrival.Later.Next(p+1, n) {
		if slices.Max(g.mem[p*statexfer.PageSize:][:statexfer.PageSize]) > 0 {
			amount += statexfer.PageSize
		}
	}
	if amount < rate/10 {
		t.Fatalf("%d bytes are left", amount)
	}
	board := newSwitchboard()
	server := live.NewServer(g.mem, res, statexfer.None, rate, nil, nil)
	served := make(chan error, 1)
	begin := time.Now()
	go func() { served <- server.Serve(t.Context(), side{board, 1}) }()
	check(t, live.NewFiller(s, arrival.Later, arrival.Leaves, nil).Fill(t.Context(), side{board, 0}))
	check(t, <-served)
	if took, least := time.Since(begin), time.Duration(amount)*time.Second/rate*3/4; took < least {
		t.Errorf("%d bytes at %d a second took %v", amount, rate, took)
	}
}

// Streams break again and again, and both sides are given new ones: nothing is lost, nothing is
// wrong, and whoever waits gets his page in the end.
func TestPostCopyReconnects(t *testing.T) {
	const n = 3000
	g, res, s, arrival := filled(t, n, live.PostCopy)
	board := newSwitchboard()
	rng := rand.New(rand.NewPCG(5, 6))
	cuts := 0
	board.cutAt = func() int64 {
		if cuts++; cuts > 40 {
			return 1 << 40
		}
		return rng.Int64N(600 << 10)
	}
	server := live.NewServer(g.mem, res, statexfer.Auto, 0, nil, nil)
	filler := live.NewFiller(s, arrival.Later, arrival.Leaves, nil)
	waits := make(chan struct{})
	go func() {
		defer close(waits)
		for p := uint64(n - 1); p > 0; p -= 7 {
			if !bytes.Equal(s.touch(p), g.mem[p*statexfer.PageSize:][:statexfer.PageSize]) {
				t.Errorf("page %d holds something else", p)
			}
			if p < 7 {
				break
			}
		}
	}()
	// Both are called off now and then, as when daemons restart.
	again := func(run func(context.Context) error) chan error {
		done := make(chan error, 1)
		go func() {
			for i := time.Duration(1); ; i++ {
				ctx, cancel := context.WithTimeout(t.Context(), i*100*time.Millisecond)
				err := run(ctx)
				ended := ctx.Err() != nil
				cancel()
				if err == nil || !ended {
					done <- err
					return
				}
			}
		}()
		return done
	}
	served := again(func(ctx context.Context) error { return server.Serve(ctx, side{board, 1}) })
	check(t, <-again(func(ctx context.Context) error { return filler.Fill(ctx, side{board, 0}) }))
	<-waits
	if !bytes.Equal(g.mem, s.mem) || s.twice > 0 {
		t.Errorf("memory equal: %v, %d pages twice", bytes.Equal(g.mem, s.mem), s.twice)
	}
	if cuts < 10 {
		t.Errorf("only %d streams", cuts)
	}
	select {
	case err := <-served:
		check(t, err)
	case <-time.After(time.Minute):
		t.Error("the source does not know that it is over")
	}
}

// Of a guest that has no memory in use nothing is left to post-copy.
func TestPostCopyOfNothing(t *testing.T) {
	g := newGuest(t, 1, 0, 0)
	_, arrival := move(t, g, live.Plan{Mode: live.PostCopy, PostCopy: true}, live.Options{Later: true}, memory(t, 1))
	if arrival.Later != nil {
		t.Errorf("%d pages are left", arrival.Later.Count())
	}
}
