package vmproc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/migrated/migrated/node/channel"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A side is of a move.
type side bool

const (
	atSource side = false
	atTarget side = true
)

// secured are streams whose two ends have shown each other that they are of one move.
type secured struct {
	Streams
	cfg  *tls.Config // nil: the streams stay on this machine
	side side
}

func secure(s Streams, keys *pb.MoveKeys, side side) (*secured, error) {
	if keys == nil {
		return &secured{Streams: s}, nil
	}
	cfg, err := channel.Config(keys)
	return &secured{s, cfg, side}, err
}

// How long the other end of a stream may take to show who it is. A target, to which a stranger
// may have come that had heard the move's token, is the first to let go.
const (
	sourcePatience = 20 * time.Second
	targetPatience = 8 * time.Second
	strangerPause  = 20 * time.Millisecond // before the next
)

// Open opens a stream for as long as it takes: whoever is not the other side of the move, or
// falls silent, makes way for the next.
func (s *secured) Open(ctx context.Context, number uint8) (net.Conn, error) {
	for {
		raw, err := s.Streams.Open(ctx, number)
		if err != nil {
			return nil, err
		}
		c, err := s.shake(ctx, raw)
		if err == nil || s.cfg == nil {
			return c, err
		}
		select {
		case <-time.After(strangerPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// OpenOnce is Open with one attempt.
func (s *secured) OpenOnce(ctx context.Context, number uint8) (net.Conn, error) {
	raw, err := s.Streams.Open(ctx, number)
	if err != nil {
		return nil, err
	}
	return s.shake(ctx, raw)
}

var errClear = errors.New("memory would leave this machine in the clear")

func (s *secured) shake(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if s.cfg == nil {
		if _, far := raw.(farConn); far {
			raw.Close()
			return nil, errClear
		}
		return raw, nil
	}
	begin, patience := channel.NewClient, sourcePatience
	if s.side == atTarget {
		begin, patience = channel.NewServer, targetPatience
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrStalled)
	defer cancel()
	c := begin(raw, s.cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, explainClosed(err)
	}
	return c, nil
}
