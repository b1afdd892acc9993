package vmproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/vmproc/cgroup"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Process is a VM's process as its daemon sees it. It implements VM.
type Process struct {
	log   *slog.Logger
	conn  *conn
	pidfd int // for killing it

	gone chan struct{} // closed when the connection has ended
	done chan struct{} // closed when the guest, or the process, has ended

	mu      sync.Mutex
	dir     string // the process's own
	hooks   Hooks
	calls   map[uint64]*call
	last    uint64 // call
	wanted  map[uint64]context.CancelFunc
	status  *pb.ProcessStatus
	ended   *pb.ProcessEnded
	resumed chan struct{} // closed when it has
	at      time.Time     // then: when
	leaving bool          // the connection is to end

	kept uint64 // bytes of memory of a VM that has left

	group   *cgroup.Group   // its own; nil: none
	grouped *pb.Confinement // where it has none, or not its limits: why
}

var _ VM = (*Process)(nil)

// A call waits for the process's answer.
type call struct {
	streams  Streams
	ctx      context.Context
	mu       sync.Mutex
	given    map[uint32]passable // connections that the process has, by number; nil: the call is over
	progress []*pb.MoveProgress  // that nobody has taken yet
	more     chan struct{}       // has something when progress has
	answer   chan *pb.FromVM     // room for one; closed when the process is gone
}

func newProcess(dir string, c *conn, pidfd int, hooks Hooks, log *slog.Logger) *Process {
	p := &Process{
		dir: dir, log: log, conn: c, pidfd: pidfd, hooks: hooks,
		gone: make(chan struct{}), done: make(chan struct{}), resumed: make(chan struct{}),
		calls: make(map[uint64]*call), wanted: make(map[uint64]context.CancelFunc),
		status: &pb.ProcessStatus{State: pb.ProcessState_PROCESS_STATE_SPARE},
	}
	go p.read()
	return p
}

// read takes what the process says, until it is gone.
func (p *Process) read() {
	defer close(p.gone)
	for {
		m := new(pb.FromVM)
		files, err := p.conn.receive(m)
		closeAll(files) // it has none to give
		if err != nil {
			p.lose(err)
			return
		}
		p.hear(m)
	}
}

// lose is for a process that is gone, or speaks nonsense. It is killed, to be certain.
func (p *Process) lose(err error) {
	p.mu.Lock()
	leaving := p.leaving
	for _, c := range p.calls {
		close(c.answer)
	}
	p.calls = nil
	for _, cancel := range p.wanted {
		cancel()
	}
	p.mu.Unlock()
	p.conn.c.Close()
	if leaving {
		return
	}
	p.kill()
	select {
	case <-p.done:
	default:
		dir := p.directory()
		p.log.Error("a VM's process has died", "dir", dir, "err", err, "said", lastWords(dir))
		close(p.done)
	}
}

func (p *Process) directory() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dir
}

// lastWords is what the process has written to its standard error.
func lastWords(dir string) string {
	f, err := os.Open(filepath.Join(dir, stderrName))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 4096))
	return strings.TrimSpace(string(b))
}

func (p *Process) hear(m *pb.FromVM) {
	p.mu.Lock()
	c := p.calls[m.Call]
	hooks := p.hooks
	p.mu.Unlock()
	switch e := m.Message.(type) {
	case *pb.FromVM_Progress:
		if c != nil {
			c.mu.Lock()
			c.progress = append(c.progress, e.Progress)
			c.mu.Unlock()
			select {
			case c.more <- struct{}{}:
			default:
			}
		}
	case *pb.FromVM_StreamWanted:
		p.supply(e.StreamWanted)
	case *pb.FromVM_Output:
		if hooks.Output != nil {
			hooks.Output(e.Output.LogEnd)
		}
	case *pb.FromVM_Said:
		if hooks.Said != nil {
			hooks.Said(e.Said.Text)
		}
	case *pb.FromVM_Trouble:
		if hooks.Trouble != nil {
			hooks.Trouble(e.Trouble.Text)
		}
	case *pb.FromVM_Resumed:
		p.noteResumed(e.Resumed.At)
	case *pb.FromVM_Ended:
		p.end(e.Ended)
	default:
		if c != nil {
			p.mu.Lock()
			delete(p.calls, m.Call)
			p.mu.Unlock()
			c.answer <- m
		}
	}
}

func (p *Process) noteResumed(at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at != 0 && p.at.IsZero() {
		p.at = FromMonotonic(at)
		close(p.resumed)
	}
}

func (p *Process) end(ended *pb.ProcessEnded) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ended != nil && p.ended == nil {
		p.ended = ended
		select {
		case <-p.done: // it has died meanwhile
		default:
			close(p.done)
		}
	}
}

// supply gets a stream that the process wants for a move.
func (p *Process) supply(w *pb.ProcessStreamWanted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cancel := p.wanted[w.Request]; cancel != nil || w.Withdrawn {
		if cancel != nil {
			cancel()
		}
		return
	}
	c := p.calls[w.Of]
	if c == nil || c.streams == nil {
		return // the call is over
	}
	ctx, cancel := context.WithCancel(c.ctx)
	p.wanted[w.Request] = cancel
	go func() {
		defer cancel()
		err := p.join(ctx, c, w)
		p.mu.Lock()
		delete(p.wanted, w.Request)
		p.mu.Unlock()
		if err != nil {
			_ = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Stream{Stream: &pb.ProcessStream{Request: w.Request, Error: err.Error()}}})
		}
	}()
}

// A passable is a stream whose socket the process can have.
type passable interface {
	Socket() (*os.File, error)
	Close() error
}

// join gives the process a stream to the other side: its socket, where it has one, and else
// one end of a stream of which this daemon has the other, and carries bytes between them.
func (p *Process) join(ctx context.Context, c *call, w *pb.ProcessStreamWanted) error {
	far, err := c.streams.Open(ctx, uint8(w.Number))
	if err != nil {
		return err
	}
	if s, ok := far.(passable); ok {
		return p.pass(c, s, w)
	}
	near, theirs, err := socketPair()
	if err == nil {
		err = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Stream{Stream: &pb.ProcessStream{Request: w.Request}}}, theirs)
		theirs.Close()
		if err != nil {
			near.Close()
		}
	}
	if err != nil {
		far.Close()
		return err
	}
	go relay(far, near)
	return nil
}

// pass gives the process a socket. It can be ended from here until the call is over, or the process
// has the next one with its number.
func (p *Process) pass(c *call, s passable, w *pb.ProcessStreamWanted) error {
	f, err := s.Socket()
	if err != nil {
		s.Close()
		return err
	}
	defer f.Close()
	c.mu.Lock()
	before, over := c.given[w.Number], c.given == nil
	if !over {
		c.given[w.Number] = s
	}
	c.mu.Unlock()
	if over {
		s.Close()
		return nil
	}
	if before != nil {
		before.Close()
	}
	return p.conn.send(&pb.ToVM{Request: &pb.ToVM_Stream{Stream: &pb.ProcessStream{Request: w.Request}}}, f)
}

// end closes what the process was given for a call.
func (c *call) end() {
	c.mu.Lock()
	given := c.given
	c.given = nil
	c.mu.Unlock()
	for _, s := range given {
		s.Close()
	}
}

// do asks the process and waits for its answer. When ctx ends, it is asked to give up, and
// its answer still counts.
func (p *Process) do(ctx context.Context, m *pb.ToVM, s Streams, progress func(*pb.MoveProgress), files ...*os.File) (*pb.FromVM, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := p.ask(ctx, m, s, files...)
	if err != nil {
		return nil, err
	}
	return p.await(ctx, c, m, progress)
}

// ask is do without the waiting. The process takes what it is asked in this order.
func (p *Process) ask(ctx context.Context, m *pb.ToVM, s Streams, files ...*os.File) (*call, error) {
	c := &call{
		streams: s, ctx: ctx, given: make(map[uint32]passable), more: make(chan struct{}, 1), answer: make(chan *pb.FromVM, 1),
	}
	p.mu.Lock()
	if p.calls == nil {
		p.mu.Unlock()
		return nil, ErrGone
	}
	p.last++
	m.Call = p.last
	p.calls[m.Call] = c
	p.mu.Unlock()
	if err := p.conn.send(m, files...); err != nil {
		p.conn.c.Close() // the reader finds it so
	}
	return c, nil
}

// await waits for the answer to m.
func (p *Process) await(ctx context.Context, c *call, m *pb.ToVM, progress func(*pb.MoveProgress)) (*pb.FromVM, error) {
	defer c.end()
	giveUp := ctx.Done()
	for {
		select {
		case <-c.more:
			c.pass(progress)
		case a, ok := <-c.answer:
			c.pass(progress)
			if !ok {
				return nil, ErrGone
			}
			return a, errorFromWire(a.Error)
		case <-giveUp:
			if m.GetInput() != nil { // it may wait for as long as the guest runs
				p.mu.Lock()
				delete(p.calls, m.Call)
				p.mu.Unlock()
				return nil, context.Cause(ctx)
			}
			giveUp = nil
			_ = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Cancel{Cancel: &pb.ProcessCancel{Call: m.Call, Reason: fmt.Sprint(context.Cause(ctx))}}})
		}
	}
}

func (c *call) pass(progress func(*pb.MoveProgress)) {
	c.mu.Lock()
	news := c.progress
	c.progress = nil
	c.mu.Unlock()
	if progress == nil {
		return
	}
	for _, m := range news {
		progress(m)
	}
}

// Arm implements VM.
func (p *Process) Arm(arm *pb.ProcessArm, log *os.File) error {
	_, err := p.do(context.Background(), &pb.ToVM{Request: &pb.ToVM_Arm{Arm: arm}}, nil, nil, log)
	return err
}

// Go implements VM. A process that does not say what came of it is killed: it has not run
// then, as far as anyone will ever know.
func (p *Process) Go(left time.Time) error {
	m := new(pb.ProcessGo)
	if !left.IsZero() {
		m.Left = timestamppb.New(left)
	}
	_, err := p.do(context.Background(), &pb.ToVM{Request: &pb.ToVM_Go{Go: m}}, nil, nil)
	return err
}

// Release implements VM. A process that is gone has nothing to let out.
func (p *Process) Release() {
	_ = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Release{Release: &pb.ProcessRelease{}}})
}

// Commit implements VM. What has been sent is acted on before a next daemon is served, so it need
// not be waited for. A process that is gone lets nothing run.
func (p *Process) Commit() {
	_ = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Commit{Commit: &pb.ProcessCommit{}}})
}

// Allow implements VM. What comes too late for the move that it is for is of no effect.
func (p *Process) Allow(token []byte) {
	_ = p.conn.send(&pb.ToVM{Request: &pb.ToVM_Commit{Commit: &pb.ProcessCommit{Ahead: token}}})
}

// Send implements VM.
func (p *Process) Send(ctx context.Context, s Streams, opt *pb.SendOptions, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Send{Send: opt}}, s, progress)
	if err != nil {
		return nil, err
	}
	if a.GetSent().GetLeft() == nil {
		return nil, errors.New("the VM's process does not say how the program left")
	}
	return a.GetSent(), nil
}

// Continue implements VM.
func (p *Process) Continue() error {
	_, err := p.do(context.Background(), &pb.ToVM{Request: &pb.ToVM_Continue{Continue: &pb.ProcessContinue{}}}, nil, nil)
	return err
}

// Drain implements VM.
func (p *Process) Drain(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) error {
	_, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Drain{Drain: &pb.ProcessDrain{}}}, s, progress)
	return err
}

// Receive implements VM.
func (p *Process) Receive(ctx context.Context, s Streams, opt *pb.ReceiveOptions, progress func(*pb.MoveProgress)) (*pb.Received, error) {
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Receive{Receive: opt}}, s, progress)
	return a.GetReceived(), err
}

// Fill implements VM.
func (p *Process) Fill(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (uint64, error) {
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Fill{Fill: &pb.ProcessFill{}}}, s, progress)
	return a.GetFilled().GetFaults(), err
}

// Input implements VM.
func (p *Process) Input(ctx context.Context, offset int64, b []byte, eof bool) (int64, error) {
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Input{Input: &pb.ProcessInput{Offset: offset, Data: b, Eof: eof}}}, nil, nil)
	return a.GetAccepted().GetAccepted(), err
}

// Stop implements VM.
func (p *Process) Stop(grace time.Duration) {
	// A process that is gone has stopped.
	_, _ = p.do(context.Background(), &pb.ToVM{Request: &pb.ToVM_Stop{Stop: &pb.ProcessStop{Grace: durationpb.New(grace)}}}, nil, nil)
}

// AwaitResumed implements VM.
func (p *Process) AwaitResumed(ctx context.Context) (time.Time, bool) {
	select {
	case <-p.resumed:
		return p.at, true
	case <-p.done:
	case <-ctx.Done():
	}
	return time.Time{}, false
}

// Status implements VM.
func (p *Process) Status() *pb.ProcessStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return proto.CloneOf(p.status)
}

// Done implements VM.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended implements VM.
func (p *Process) Ended() *pb.ProcessEnded {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Leave implements VM.
func (p *Process) Leave() {
	p.mu.Lock()
	p.leaving = true
	p.mu.Unlock()
	p.conn.c.Close()
	<-p.gone
	unix.Close(p.pidfd)
}

// endTimeout is how long a process may take to end by itself.
const endTimeout = 2 * time.Second

// Close implements VM.
func (p *Process) Close() error {
	p.mu.Lock()
	again := p.leaving
	p.leaving = true
	p.mu.Unlock()
	if again {
		return nil
	}
	err := p.conn.send(&pb.ToVM{Request: &pb.ToVM_End{End: &pb.ProcessEnd{}}})
	if err == nil {
		select {
		case <-p.gone:
		case <-time.After(endTimeout):
		}
	}
	p.kill()
	p.conn.c.Close()
	<-p.gone
	p.awaitDeath()
	unix.Close(p.pidfd)
	p.mu.Lock()
	if p.ended == nil {
		select {
		case <-p.done:
		default:
			close(p.done)
		}
	}
	p.mu.Unlock()
	return errors.Join(p.ungroup(), os.RemoveAll(p.directory()))
}

// kill ends the process at once, if it has not ended.
func (p *Process) kill() {
	_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0) // it is gone then
}

// awaitDeath waits until the process has freed what it had.
func (p *Process) awaitDeath() {
	fds := []unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(endTimeout/time.Millisecond))
		if err != unix.EINTR {
			if n == 0 {
				p.log.Error("a VM's process does not end", "dir", p.directory())
			}
			return
		}
	}
}
