package vmproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/userfault"
)

// A liveSender sends a guest's memory by whichever kind of move it is.
type liveSender struct {
	g        Movable
	held     held
	opt      *pb.SendOptions
	known    *statexfer.Offer // what memory was when it came here; nil: it did not
	draining sync.Mutex       // one call at a time: of a daemon that is gone, the last may still end
	server   *live.Server     // of what the target lacks; nil: nothing

	ahead    chan struct{} // closed when the streams of drain are open
	sentAll  chan struct{} // closed when send has returned, and server is as it stays
	mayServe chan struct{} // closed with the commitment
	once     sync.Once     // closes ahead
	commits  sync.Once
}

func newLiveSender(g Movable, h held, opt *pb.SendOptions) *liveSender {
	return &liveSender{
		g: g, held: h, opt: opt, ahead: make(chan struct{}), sentAll: make(chan struct{}), mayServe: make(chan struct{}),
	}
}

// moveKinds are what an operator can ask for.
var moveKinds = map[pb.MoveKind]live.Mode{
	pb.MoveKind_MOVE_KIND_UNSPECIFIED: live.Auto,
	pb.MoveKind_MOVE_KIND_STOP:        live.Stop,
	pb.MoveKind_MOVE_KIND_PRECOPY:     live.PreCopy,
	pb.MoveKind_MOVE_KIND_POSTCOPY:    live.PostCopy,
	pb.MoveKind_MOVE_KIND_HYBRID:      live.Hybrid,
}

// NeedsBoth says whether a guest depends on both nodes for a while after such a move.
func NeedsBoth(k pb.MoveKind) bool {
	return moveKinds[k].NeedsBoth()
}

func kindOf(m live.Mode) pb.MoveKind {
	for kind, mode := range moveKinds {
		if mode == m {
			return kind
		}
	}
	return pb.MoveKind_MOVE_KIND_UNSPECIFIED
}

// fixedDowntime is what stopping and starting take beside round trips: leaving the stack, coming
// back on one, and what the processes do for that. fixedTrips are the round trips: to hear that all is
// in place, and half of one to have the guest started.
const (
	fixedDowntime = 1500 * time.Microsecond
	fixedTrips    = 2
)

func (e *liveSender) send(ctx context.Context, s Streams, d *director, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	defer close(e.sentAll)
	streams, err := secure(s, e.opt.Keys, atSource)
	if err != nil {
		return nil, err
	}
	c, err := streams.OpenOnce(ctx, FirstStream)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	// The target gets ready to receive in the time that it has for the first byte.
	conn := &stallConn{Conn: c, stall: e.opt.StallTimeout.AsDuration()}
	if len(e.opt.Token) == 0 {
		d = nil
	}
	o := e.opt.Options
	l := &leaver{g: e.g, timeout: e.opt.QuiesceTimeout.AsDuration(), progress: progress, phase: pb.MovePhase_MOVE_PHASE_COPY}
	plan := live.Plan{
		Mode:        moveKinds[o.GetKind()],
		MaxDowntime: o.GetMaxDowntime().AsDuration(),
		Compress:    codecs[o.GetCompress()],
		Bandwidth:   o.GetBandwidth(),
		PostCopy:    e.opt.PostCopy && !o.GetSafe(),
		Link:        e.opt.Link,
		PageMap:     e.held.pageMap,
		Hashes:      e.opt.Hashes,
		Known:       e.known,
		Confirm:     d != nil,
		Ahead:       e.ahead,
		Fixed:       fixedDowntime + fixedTrips*e.opt.RoundTrip.AsDuration(),
	}
	if d != nil {
		plan.Arm = func() { progress(&pb.MoveProgress{Phase: l.phase, Arm: true}) }
		plan.Behind = func() []byte { return appendAtRest(nil, d.atRest(l.left)) }
	}
	res, stopped, err := live.Send(ctx, conn, l, plan, l.report)
	if err != nil {
		if stopped {
			return nil, explainClosed(goOn(e.g, err))
		}
		return nil, explainClosed(err)
	}
	missing := res.Later.Count()
	if missing > 0 {
		e.server = live.NewServer(e.g.Memory(), res, codecs[o.GetCompress()], o.GetBandwidth(), e.mayServe, nil)
	}
	sent := &pb.Sent{
		Missing: missing,
		Left:    LeftToWire(l.left), LeftAt: ToMonotonic(l.at),
		Digest: res.Digest[:], Memory: MemoryStats(res.Memory),
		Kind: kindOf(res.Mode), Why: res.Why, Link: res.Link,
	}
	if d != nil && d.commit(sent) {
		// Whether it has come the daemon hears from the target's, which is asked all the same.
		_ = tellStart(conn, time.Since(l.at)+e.opt.RoundTrip.AsDuration()/2)
	}
	return sent, nil
}

// goOn lets a guest resume that was stopped for a move that failed, and returns why.
func goOn(g Movable, failed error) error {
	if err := g.Continue(); err != nil && !errors.Is(err, vmm.ErrExited) {
		return fmt.Errorf("resume after a failed move: %w", err)
	}
	return failed
}

// drain serves what the target lacks until that says that it has all. Before send has returned it
// opens the streams.
func (e *liveSender) drain(ctx context.Context, s Streams, _ func(*pb.MoveProgress)) error {
	e.draining.Lock()
	defer e.draining.Unlock()
	secured, err := secure(s, e.opt.Keys, atSource)
	if err != nil {
		return err
	}
	select {
	case <-e.sentAll:
		if e.server == nil {
			return nil
		}
		return e.server.Serve(ctx, secured)
	default:
	}
	streams := openAhead(ctx, secured)
	defer streams.close()
	select {
	case <-streams.opened:
		e.once.Do(func() { close(e.ahead) })
	case <-e.sentAll:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-e.sentAll:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if e.server == nil {
		return nil
	}
	return e.server.Serve(ctx, streams)
}

// commit lets the target have what it lacks.
func (e *liveSender) commit() { e.commits.Do(func() { close(e.mayServe) }) }

// explainClosed tells the other side's end from what it made of a call.
func explainClosed(err error) error {
	for _, end := range []error{statexfer.ErrTruncated, io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, end) {
			return ErrClosed
		}
	}
	return err
}

// A leaver is a guest as package live sees it.
type leaver struct {
	g        Movable
	timeout  time.Duration // for leaving its stack
	progress func(*pb.MoveProgress)
	phase    pb.MovePhase
	left     *vmm.Left
	at       time.Time // when it left
}

// A logger is a guest that can be moved while it runs.
type logger interface {
	LogDirty(on bool) error
	Dirty(set []uint64) error
	Throttle(share float64)
}

func (l *leaver) Memory() []byte { return l.g.Memory() }

func (l *leaver) LogDirty(on bool) error {
	if g, ok := l.g.(logger); ok {
		return g.LogDirty(on)
	}
	return vmm.ErrNoDirtyLog
}

func (l *leaver) Dirty(set []uint64) error { return l.g.(logger).Dirty(set) }

func (l *leaver) Throttle(share float64) {
	if g, ok := l.g.(logger); ok {
		g.Throttle(share)
	}
}

// Quiesce takes the guest off its stack. On an error it still runs.
func (l *leaver) Quiesce(ctx context.Context) (err error) {
	l.phase = pb.MovePhase_MOVE_PHASE_QUIESCE
	l.progress(&pb.MoveProgress{Phase: l.phase})
	l.left, l.at, err = Quiesce(ctx, l.g, l.timeout)
	if err == nil {
		l.phase = pb.MovePhase_MOVE_PHASE_TRANSFER
		l.progress(&pb.MoveProgress{Phase: l.phase})
	}
	return err
}

func (l *leaver) report(p live.Progress) {
	if l.phase == pb.MovePhase_MOVE_PHASE_COPY && p.Memory == (statexfer.Stats{}) && p.Mode == live.Stop {
		return // it is to be stopped first
	}
	l.progress(&pb.MoveProgress{
		Phase:  l.phase,
		Memory: MemoryStats(p.Memory),
		Rate: &pb.MoveRate{
			Kind: kindOf(p.Mode), Why: p.Why, Rate: p.Rate, Remaining: p.Remaining, DirtyRate: p.DirtyRate,
			ExpectedDowntime: durationpb.New(p.ExpectedDowntime), Throttle: p.Throttle,
		},
	})
}

// Quiesce takes a guest off its stack and returns when it left. On an error it still runs.
func Quiesce(ctx context.Context, g Movable, timeout time.Duration) (*vmm.Left, time.Time, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	asked := time.Now()
	left, err := g.Quiesce(limited)
	if err != nil {
		if context.Cause(ctx) == nil && limited.Err() != nil {
			return nil, asked, fmt.Errorf("%w: %v", ErrQuiesce, timeout)
		}
		return nil, asked, fmt.Errorf("take the program off its stack: %w", err)
	}
	return left, asked.Add(left.Quiesce), nil
}

// A liveReceiver receives what a liveSender sends.
type liveReceiver struct {
	g       Movable
	opt     *pb.ReceiveOptions
	pageMap *os.File
	watch   func() (live.Area, error) // nil: all has to come before the guest starts
	free    func(statexfer.Run) error // gives pages back that are to come; nil: who calls has them zero
	advise  func(large bool)          // what pages memory gets; nil: the caller sees to that
	filling sync.Mutex                // as liveSender.draining
	there   chan struct{}             // closed when it is known what is missing
	mu      sync.Mutex
	filler  *live.Filler // nil: nothing is missing
	leaves  []uint64     // the hash of each page, as it came; nil: not all have come
}

func (e *liveReceiver) receive(ctx context.Context, s Streams, start *starter, progress func(*pb.MoveProgress)) (*pb.Received, error) {
	there := sync.OnceFunc(func() { close(e.there) })
	defer there()
	first, cancel := context.WithTimeout(ctx, e.opt.FirstTimeout.AsDuration())
	defer cancel()
	streams, err := secure(s, e.opt.Keys, atTarget)
	if err != nil {
		return nil, err
	}
	c, err := streams.Open(first, FirstStream)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	conn := &stallConn{Conn: c, stall: e.opt.StallTimeout.AsDuration(), first: e.opt.FirstTimeout.AsDuration()}
	if e.opt.Direct && start != nil {
		defer announce(conn, start.ready)()
	}
	e.largePages(true) // of a move that failed, it may not have them
	kept, err := e.prepare()
	if err != nil {
		return nil, err
	}
	var a *live.Arrival
	for range max(e.opt.Parts, 1) {
		opt := live.Options{
			Kept:    kept,
			PageMap: e.pageMap,
			Later:   e.watch != nil,
			Awaits:  func() { e.largePages(false) },
			Free:    e.free,
			Confirm: e.opt.Direct,
		}
		if !e.opt.Direct { // else the source says how far it is, and a guest may be waiting
			opt.Report = func(st statexfer.Stats) {
				progress(&pb.MoveProgress{Phase: pb.MovePhase_MOVE_PHASE_TRANSFER, Memory: MemoryStats(st)})
			}
		}
		if a != nil { // the next one builds on what this one has left
			opt.Offer = statexfer.OfferOf(a.Leaves)
		}
		if a, err = live.Receive(ctx, conn, e.g.Memory(), opt); err != nil {
			return nil, explainClosed(err)
		}
	}
	missing := a.Later.Count()
	if missing > 0 {
		if err := e.expect(a); err != nil {
			return nil, err
		}
	} else {
		e.setArrived(a.Leaves)
	}
	there() // a guest that starts may need at once what is missing
	received := &pb.Received{Digest: a.Digest[:], Memory: MemoryStats(a.Memory), Missing: missing}
	if e.opt.Direct && start != nil {
		received.AtRest, err = e.await(conn, start)
	}
	return received, err
}

// await takes what comes behind memory, and starts the guest when the source's process says so. A
// source that says nothing leaves all of it to the daemons.
func (e *liveReceiver) await(conn net.Conn, start *starter) (*pb.AtRest, error) {
	rest, err := readAtRest(conn)
	if rest == nil || err != nil {
		return nil, err
	}
	if err := start.comes(rest); err != nil {
		return nil, err
	}
	if stopped, ok := awaitStart(conn); ok {
		start.now(time.Now().Add(-stopped))
	}
	return rest, nil
}

// largePages says whether a page that is touched may be a large one. While pages are left to post-copy none
// is: clearing 2 MiB for each of the few that come before the guest starts is most of the downtime then, and
// what is not there yet would have to be taken out again.
func (e *liveReceiver) largePages(may bool) {
	if e.advise != nil {
		e.advise(may)
	}
}

// expect has whoever touches a page that is to come wait for it from now on.
func (e *liveReceiver) expect(a *live.Arrival) error {
	area, err := e.watch()
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filler = live.NewFiller(area, a.Later, a.Leaves, nil)
	return nil
}

func (e *liveReceiver) up() {
	if f := e.arriving(); f != nil {
		f.Up()
	}
}

// watch has an area watch memory.
func watch(area *userfault.Area, mem []byte) (live.Area, error) {
	if err := area.Watch(mem); err != nil {
		return nil, err
	}
	return heldArea{area}, nil
}

// A heldArea outlives a watch: the process can open no other for the VM's next arrival.
type heldArea struct{ *userfault.Area }

func (a heldArea) Close() error { return a.Unwatch() }

func (e *liveReceiver) arriving() *live.Filler {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.filler
}

// setArrived notes that all of memory is there.
func (e *liveReceiver) setArrived(leaves []uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filler, e.leaves = nil, leaves
}

func (e *liveReceiver) arrived() *statexfer.Offer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.leaves == nil {
		return nil
	}
	return statexfer.OfferOf(e.leaves)
}

func (e *liveReceiver) missing() uint64 {
	if f := e.arriving(); f != nil {
		return f.Missing()
	}
	return 0
}

// fill fetches what is missing. A source that is out of sight is waited for. Before receive has
// returned it waits for the streams.
func (e *liveReceiver) fill(ctx context.Context, s Streams, _ func(*pb.MoveProgress)) (faults uint64, err error) {
	e.filling.Lock()
	defer e.filling.Unlock()
	secured, err := secure(s, e.opt.Keys, atTarget)
	if err != nil {
		return 0, err
	}
	var streams live.Streams = secured
	select {
	case <-e.there:
	default:
		early := openAhead(ctx, secured)
		defer early.close()
		select {
		case <-e.there:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		streams = early
	}
	f := e.arriving()
	if f == nil {
		return 0, nil
	}
	if err := f.Fill(ctx, streams); err != nil {
		return f.Faults(), err
	}
	e.largePages(true)
	e.setArrived(f.Leaves())
	return f.Faults(), nil
}
