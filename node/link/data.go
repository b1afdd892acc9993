package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Data is a connection that carries memory of one move, between the processes of the VM. It
// ends with the link under which it was opened.
type Data struct {
	*net.TCPConn
	of *dataConns

	mu    sync.Mutex
	fd    int // of the socket, once Socket was called; else -1
	ended bool
}

// Socket gives the connection away, to a process that reads and writes it from then on. This
// side can still end it, which takes effect there at once; until Close it does not know when
// the other has closed it, so whoever has it must shut it down (shutdown(2)).
func (d *Data) Socket() (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.fd >= 0 {
		return nil, net.ErrClosed
	}
	f, err := d.TCPConn.File()
	if err != nil {
		return nil, fmt.Errorf("pass on a data connection: %w", err)
	}
	// Not the runtime's any more: that would wake this process for all that comes.
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("pass on a data connection: %w", err)
	}
	d.fd = fd
	return f, d.TCPConn.Close()
}

// end lets no more through, whoever has the connection.
func (d *Data) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.fd >= 0 {
		unix.Shutdown(d.fd, unix.SHUT_RDWR)
		return
	}
	d.TCPConn.Close()
}

// Close ends the connection.
func (d *Data) Close() error {
	d.of.drop(d)
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return nil
	}
	err := unix.Close(d.fd)
	d.fd = -1
	return err
}

// dataConns are those that were opened under a link.
type dataConns struct {
	mu    sync.Mutex
	ended bool
	all   map[*Data]bool
}

// adopt takes a connection over.
func (s *dataConns) adopt(c *net.TCPConn) (*Data, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		c.Close()
		return nil, ErrNotConnected
	}
	if s.all == nil {
		s.all = make(map[*Data]bool)
	}
	d := &Data{TCPConn: c, of: s, fd: -1}
	s.all[d] = true
	return d, nil
}

func (s *dataConns) drop(d *Data) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, d)
}

func (s *dataConns) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for d := range s.all {
		d.end()
	}
}

// OpenData opens one of the connections that carry the memory of a move. Whoever has dialled
// the link dials the same address: the way there is the same.
func (l *Link) OpenData(ctx context.Context, token Token, number uint8) (*Data, error) {
	n := dataName{token, number}
	var d *Data
	var err error
	if l.dialled {
		d, err = l.dialData(ctx, n)
	} else {
		d, err = l.askData(ctx, n)
	}
	if err != nil {
		return nil, fmt.Errorf("open data connection to %s: %w", l.Name(), err)
	}
	return d, nil
}

func (l *Link) dialData(ctx context.Context, n dataName) (*Data, error) {
	ctx, cancel := context.WithTimeout(ctx, l.hub.cfg.Timeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	if err := writePreamble(c, n); err != nil { // it has room
		c.Close()
		return nil, err
	}
	return l.data.adopt(c.(*net.TCPConn)) // it was dialled as one
}

// An asked is a connection that a peer was asked to open.
type asked struct {
	link *Link
	conn chan *Data // room for one
}

// askData has the peer dial.
func (l *Link) askData(ctx context.Context, n dataName) (*Data, error) {
	ctx, cancel := context.WithTimeout(ctx, l.hub.cfg.Timeout)
	defer cancel()
	a := &asked{l, make(chan *Data, 1)}
	if !l.hub.data.ask(n, a) {
		return nil, errors.New("it is being opened already")
	}
	defer l.hub.data.unask(n, a)
	s, err := l.open(header{kindData, n.token, n.number})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	defer until(ctx, s)()
	var b [1]byte
	if _, err := io.ReadFull(s, b[:]); err != nil {
		if ctx.Err() == nil {
			err = errors.New("the other side has not dialled")
		}
		return nil, err
	}
	select {
	case d := <-a.conn:
		return d, nil
	case <-l.Done():
		return nil, ErrNotConnected
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dialAsked dials for a peer that has accepted this link.
func (l *Link) dialAsked(h header) error {
	e := l.hub.data.move(h.token)
	if e == nil || e.peer != l.Name() {
		return errNoMove
	}
	if !l.dialled {
		return errors.New("whoever has dialled the link dials for data too")
	}
	d, err := l.dialData(l.hub.ctx, dataName{h.token, h.number})
	if err == nil && !e.deliver(h.number, d) {
		d.Close()
		err = errNoMove
	}
	return err
}

// acceptData hands a connection to the move that waits for it.
func (h *Hub) acceptData(ctx context.Context, c *net.TCPConn) error {
	stop := until(ctx, c)
	n, err := readPreamble(c)
	stop()
	if err != nil {
		return err
	}
	if asked, err := h.data.answer(n, c); asked {
		return err
	}
	e := h.data.move(n.token)
	if e == nil {
		return errNoMove
	}
	l, err := h.Wait(ctx, e.peer) // this side may learn later than the other that there is a new one
	if err != nil {
		return err
	}
	d, err := l.data.adopt(c)
	if err == nil && !e.deliver(n.number, d) {
		d.Close()
		err = errNoMove
	}
	return err
}

// expected are the moves whose memory may come, and the connections that peers were asked for.
type expected struct {
	mu    sync.Mutex
	moves map[Token]*Expected
	asked map[dataName]*asked
}

func (x *expected) move(t Token) *Expected {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.moves[t]
}

func (x *expected) ask(n dataName, a *asked) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked[n] != nil {
		return false
	}
	x.asked[n] = a
	return true
}

// unask closes what came and was not taken.
func (x *expected) unask(n dataName, a *asked) {
	x.mu.Lock()
	if x.asked[n] == a {
		delete(x.asked, n)
	}
	x.mu.Unlock()
	select {
	case d := <-a.conn:
		d.Close()
	default:
	}
}

// answer hands a connection to who asked for it, if anybody has.
func (x *expected) answer(n dataName, c *net.TCPConn) (asked bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.asked[n]
	if a == nil {
		return false, nil
	}
	delete(x.asked, n)
	d, err := a.link.data.adopt(c)
	if err == nil {
		a.conn <- d
	}
	return true, err
}

// Expected data connections belong to one move from one peer. Of each number one at a time can
// wait to be taken.
type Expected struct {
	all   *expected
	token Token
	peer  string
	conns [MaxStreams]chan *Data // room for one each
}

// Expect says that data connections with this token may come from the named peer. The caller
// must Cancel it when the move is over.
func (h *Hub) Expect(token Token, peer string) (*Expected, error) {
	h.data.mu.Lock()
	defer h.data.mu.Unlock()
	if _, ok := h.data.moves[token]; ok {
		return nil, fmt.Errorf("move %s is known already", token)
	}
	e := &Expected{all: &h.data, token: token, peer: peer}
	for i := range e.conns {
		e.conns[i] = make(chan *Data, 1)
	}
	h.data.moves[token] = e
	return e, nil
}

// Wait returns the connection with a number once it is there.
func (e *Expected) Wait(ctx context.Context, number uint8) (*Data, error) {
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

// Cancel forgets the connections, and closes those that came and nobody took.
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

// deliver hands a connection to the move that waits for it.
func (e *Expected) deliver(number uint8, d *Data) bool {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	if e.all.moves[e.token] != e {
		return false // it was cancelled
	}
	select {
	case e.conns[number] <- d:
		return true
	default:
		return false // one waits already
	}
}
