package vmproc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/userfault"
)

// A Movable is a guest as the engines of a move see it. *vmm.Guest is one; what only some
// kinds of move need of it, they ask for by a type assertion.
type Movable interface {
	Memory() []byte
	Quiesce(ctx context.Context) (*vmm.Left, error)
	Continue() error
	Done() <-chan struct{}
}

// A sender is the source's part of one kind of move.
type sender interface {
	// send does all up to the moment when the target can start. On success the guest is at
	// rest; on an error it goes on: send takes back what it did. d, which may be nil, is for having
	// the target's process start the guest.
	send(ctx context.Context, s Streams, d *director, progress func(*pb.MoveProgress)) (*pb.Sent, error)
	// drain serves what the target still lacks. It may be called again, with other streams,
	// when it fails.
	drain(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) error
	// commit lets drain give away what it serves.
	commit()
}

// A receiver is the target's.
type receiver interface {
	// start, which may be nil, is for the source's process to start the guest by.
	receive(ctx context.Context, s Streams, start *starter, progress func(*pb.MoveProgress)) (*pb.Received, error)
	// fill fetches what is missing when the guest runs, and returns how many pages somebody
	// waited for. Called again, it goes on.
	fill(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (faults uint64, err error)
	// up says that the guest stands on its stack.
	up()
	// missing is how many pages are not there yet.
	missing() uint64
	// arrived is what memory was when all of it was there; nil: it is not.
	arrived() *statexfer.Offer
}

// newSender makes one for a guest that came by a receiver; nil: it was started here.
func newSender(g Movable, h held, came receiver, opt *pb.SendOptions) (sender, error) {
	if _, ok := moveKinds[opt.Options.GetKind()]; !ok {
		return nil, fmt.Errorf("this process knows no move of kind %v", opt.Options.GetKind())
	}
	if k := opt.Options.GetKind(); NeedsBoth(k) && !opt.PostCopy {
		return nil, fmt.Errorf("a move of kind %v is not possible to there", k)
	}
	s := newLiveSender(g, h, opt)
	if came != nil {
		s.known = came.arrived()
	}
	return s, nil
}

func newReceiver(g Movable, h held, opt *pb.ReceiveOptions) receiver {
	r := &liveReceiver{g: g, pageMap: h.pageMap, opt: opt, there: make(chan struct{})}
	if h.area != nil && opt.PostCopy {
		r.watch = func() (live.Area, error) { return watch(h.area, g.Memory()) }
		// While the guest runs at the source, and not when it stands still: that takes a call for each run. Nothing
		// touches such a page before it is watched.
		r.free = func(run statexfer.Run) error { return userfault.Drop(g.Memory(), run.First, run.Count) }
		r.advise = func(large bool) {
			advice := unix.MADV_NOHUGEPAGE
			if large {
				advice = unix.MADV_HUGEPAGE
			}
			_ = unix.Madvise(g.Memory(), advice) // a host without large pages refuses
		}
	}
	return r
}

// Rest and Fill drain and fill, as VM's methods do.
type (
	Rest func(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) error
	Fill func(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (faults uint64, err error)
)

// Send sends a guest's memory, as a VM's process does. LogEnd and InputAccepted are the
// caller's to fill in. What Rest serves may go at once.
func Send(ctx context.Context, g Movable, s Streams, opt *pb.SendOptions, progress func(*pb.MoveProgress)) (*pb.Sent, Rest, error) {
	e, err := newSender(g, held{}, nil, opt)
	if err != nil {
		return nil, nil, err
	}
	sent, err := e.send(ctx, s, nil, progress)
	e.commit()
	return sent, e.drain, err
}

// Receive fills a guest's memory, as a VM's process does; what follows, through area.
func Receive(ctx context.Context, g Movable, area live.Area, s Streams, opt *pb.ReceiveOptions, progress func(*pb.MoveProgress)) (*pb.Received, Fill, error) {
	e := &liveReceiver{g: g, opt: opt, there: make(chan struct{})}
	if opt.PostCopy {
		e.watch = func() (live.Area, error) { return area, nil }
	}
	received, err := e.receive(ctx, s, nil, progress)
	return received, e.fill, err
}

// send is Send for the guest here. An engine stays until the guest goes on: it may be asked
// to drain.
func (h *hosted) send(ctx context.Context, s Streams, opt *pb.SendOptions, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	h.mu.Lock()
	came := h.receiver
	h.mu.Unlock()
	e, err := newSender(h.g, h.child.held, came, opt)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	if h.state != pb.ProcessState_PROCESS_STATE_RUNNING || h.moving {
		h.mu.Unlock()
		return nil, errors.New("the guest does not run, or moves already")
	}
	h.moving, h.sender = true, e
	h.mu.Unlock()
	h.using.RLock()
	defer h.using.RUnlock()
	ctx, cancel := untilEnd(ctx, h.g)
	defer cancel()
	sent, err := e.send(ctx, s, &director{
		atRest: func(left *vmm.Left) *pb.AtRest {
			return &pb.AtRest{Left: LeftToWire(left), LogEnd: h.log.end(), InputAccepted: h.input.count()}
		},
		commit: func(sent *pb.Sent) bool { return h.commitsItself(ctx, opt.Token, sent) },
	}, progress)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.moving = false
	if sent.GetCommitted() {
		return sent, nil
	}
	if err == nil && ctx.Err() != nil {
		// Whoever asked may be gone, and its successor have heard that the guest runs.
		err = goOn(h.g, context.Cause(ctx))
	}
	if err != nil {
		h.sender = nil
		return nil, err
	}
	sent.LogEnd, sent.InputAccepted = h.log.end(), h.input.count()
	h.sent, h.commits, h.state = sent, false, pb.ProcessState_PROCESS_STATE_AT_REST
	return sent, nil
}

// commitsItself commits to a move that the daemon has allowed to be committed here.
func (h *hosted) commitsItself(ctx context.Context, token []byte, sent *pb.Sent) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil || len(token) == 0 || !bytes.Equal(token, h.allowed) {
		return false
	}
	sent.LogEnd, sent.InputAccepted, sent.Committed = h.log.end(), h.input.count(), true
	h.sent, h.commits, h.state = sent, true, pb.ProcessState_PROCESS_STATE_AT_REST
	h.sender.commit()
	return true
}

// untilEnd is a context that ends with the guest too.
func untilEnd(ctx context.Context, g Movable) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-g.Done():
			cancel(vmm.ErrExited)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// drain goes on serving the target.
func (h *hosted) drain(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) error {
	h.mu.Lock()
	e := h.sender
	h.mu.Unlock()
	if e == nil {
		return errors.New("nothing was sent")
	}
	h.using.RLock()
	defer h.using.RUnlock()
	return e.drain(ctx, s, progress)
}

func (h *hosted) receive(ctx context.Context, s Streams, opt *pb.ReceiveOptions, progress func(*pb.MoveProgress)) (*pb.Received, error) {
	e := newReceiver(h.g, h.child.held, opt)
	h.mu.Lock()
	if h.state != pb.ProcessState_PROCESS_STATE_MADE || h.receiver != nil {
		h.mu.Unlock()
		return nil, errors.New("the guest cannot receive memory, or does already")
	}
	h.receiver = e
	close(h.receives)
	h.mu.Unlock()
	h.using.RLock()
	defer h.using.RUnlock()
	ctx, cancel := untilEnd(ctx, h.g)
	defer cancel()
	return e.receive(ctx, s, &starter{ready: h.ready, comes: h.comes, now: func(left time.Time) { h.startTold(ctx, left) }}, progress)
}

func (h *hosted) fill(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (uint64, error) {
	ctx, cancel := untilEnd(ctx, h.g)
	defer cancel()
	select {
	case <-h.receives: // it may be asked for with this
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	h.mu.Lock()
	e := h.receiver
	h.mu.Unlock()
	h.using.RLock()
	defer h.using.RUnlock()
	faults, err := e.fill(ctx, s, progress)
	if errors.Is(err, statexfer.ErrDigest) {
		h.g.Stop(0) // it must not run on memory that is not what the source had
	}
	return faults, err
}

// A stallConn fails with ErrStalled when the other side makes no progress for a while, and
// with ErrClosed when it is gone. A deadline that is set from outside holds: it calls off what is
// going on, and what begins a moment later.
type stallConn struct {
	net.Conn
	stall time.Duration
	first time.Duration // for the first that is read, where it is more

	mu            sync.Mutex
	reads, writes bool // have a deadline from outside
}

func (c *stallConn) Write(p []byte) (int, error) {
	if err := c.allow(c.stall, &c.writes, c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	return n, explainStall(err)
}

func (c *stallConn) Read(p []byte) (int, error) {
	if err := c.allow(max(c.stall, c.first), &c.reads, c.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.first = 0
	}
	return n, explainStall(err)
}

// allow gives a read or a write its time.
func (c *stallConn) allow(d time.Duration, outside *bool, set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *outside {
		return nil
	}
	return set(time.Now().Add(d))
}

func (c *stallConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads = !t.IsZero()
	return c.Conn.SetReadDeadline(t)
}

func (c *stallConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = !t.IsZero()
	return c.Conn.SetWriteDeadline(t)
}

func (c *stallConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func explainStall(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return ErrStalled
	}
	return err
}
