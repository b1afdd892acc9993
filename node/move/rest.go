package move

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Rest is memory that the target of a committed move still lacks, at its source. It opens
// the move's streams over whatever link there is, and implements vmproc.Streams.
type Rest struct {
	Token link.Token
	To    string // the target's name
	Peer  string // and identity; empty: who has the name
	Links Links
	Stall time.Duration
	Log   *slog.Logger

	// Started says that the target runs the VM: from then on it can be asked whether it has all.
	Started atomic.Bool

	mu     sync.Mutex
	opened [link.MaxStreams]bool
	has    context.CancelCauseFunc // called when the target has all
}

// errHasAll ends serving a target that needs nothing more.
var errHasAll = errors.New("the target has all")

// ErrLost is returned for a VM that is lost: its process here died while the target, where it
// runs, still lacked pages of its memory.
var ErrLost = errors.New("the VM is lost: its process here died before all of its memory had left it")

// restPause is before what broke is tried again.
const restPause = 50 * time.Millisecond

// Drain serves the target until it has all, however often the link is cut meanwhile.
// ErrShutdown: it does not have all, and the VM's process can go on to serve it. ErrLost: that
// process has died, and the target knows. ErrGivenUp: ctx has ended for that. A nil guest is one that
// has died before.
func Drain(ctx context.Context, guest vmproc.VM, r *Rest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.has = cancel
	for {
		err := vmproc.ErrGone
		if guest != nil {
			err = guest.Drain(ctx, r, nil)
		}
		switch {
		case err == nil, errors.Is(context.Cause(ctx), errHasAll):
			return nil
		case ctx.Err() != nil:
			return stopped(ctx)
		case errors.Is(err, vmproc.ErrGone):
			r.Log.Error("the VM's process here has died: pages that the target lacks are lost", "to", r.To)
			return r.tellLost(ctx)
		}
		r.Log.Warn("serve memory", "to", r.To, "err", err)
		if !Pause(ctx, restPause) {
			return stopped(ctx)
		}
	}
}

// tellLost tells the target that what it lacks does not come any more, until it has heard it.
func (r *Rest) tellLost(ctx context.Context) error {
	for Pause(ctx, restPause) {
		if !r.Started.Load() {
			continue
		}
		answer, err := r.ask(ctx, &pb.StartRequest{Token: r.Token[:], Lost: true})
		switch {
		case err != nil:
			r.Log.Debug("tell that pages are lost", "to", r.To, "err", err)
		case answer.Started && answer.Lacks:
			return ErrLost
		default:
			return nil
		}
	}
	return stopped(ctx)
}

// ask repeats START, which the target answers with what it lacks.
func (r *Rest) ask(ctx context.Context, req *pb.StartRequest) (*pb.StartResponse, error) {
	l, err := linkTo(ctx, r.Links, r.To, r.Peer)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Stall)
	defer cancel()
	return l.Client().Start(ctx, req)
}

// Open opens a stream when there is a link. A stream that broke may mean that the target has
// all: it is asked first.
func (r *Rest) Open(ctx context.Context, number uint8) (net.Conn, error) {
	for {
		c, err := r.open(ctx, number)
		if err == nil {
			return c, nil
		}
		r.Log.Debug("stream for the rest", "to", r.To, "err", err)
		if !Pause(ctx, restPause) {
			return nil, context.Cause(ctx)
		}
	}
}

func (r *Rest) open(ctx context.Context, number uint8) (net.Conn, error) {
	r.mu.Lock()
	again := r.opened[number]
	r.opened[number] = true
	r.mu.Unlock()
	if again && !Pause(ctx, restPause) {
		return nil, context.Cause(ctx)
	}
	if again && r.Started.Load() {
		answer, err := r.ask(ctx, &pb.StartRequest{Token: r.Token[:]})
		if err != nil {
			return nil, fmt.Errorf("ask whether it has all: %w", err)
		}
		if !answer.Started || !answer.Lacks {
			r.has(errHasAll)
			return nil, errHasAll
		}
	}
	l, err := linkTo(ctx, r.Links, r.To, r.Peer)
	if err != nil {
		return nil, err
	}
	return l.OpenData(ctx, r.Token, number)
}
