// Package link connects nodes: one TCP connection between two of them, whoever opened it,
// carries gRPC both ways and streams of memory.
package link

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Link is one live connection to another node.
type Link struct {
	hub     *Hub
	peer    *pb.NodeInfo
	address string // of the other end
	dialled bool   // by this node
	session *yamux.Session
	client  *grpc.ClientConn
	closed  sync.Once
}

// newLink multiplexes a connection whose greeting is over.
func newLink(h *Hub, c net.Conn, peer *pb.NodeInfo, dialled bool) (*Link, error) {
	cfg := yamux.DefaultConfig()
	cfg.KeepAliveInterval = h.cfg.KeepAlive
	cfg.ConnectionWriteTimeout = h.cfg.Timeout
	cfg.StreamOpenTimeout = h.cfg.Timeout
	cfg.StreamCloseTimeout = h.cfg.Timeout
	cfg.MaxStreamWindowSize = streamWindow
	cfg.LogOutput = nil
	cfg.Logger = slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)

	open := yamux.Server
	if dialled {
		open = yamux.Client
	}
	session, err := open(c, cfg)
	if err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	l := &Link{hub: h, peer: peer, address: c.RemoteAddr().String(), dialled: dialled, session: session}
	l.client, err = grpc.NewClient("passthrough:///"+peer.Name,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			return l.open(header{kind: kindControl})
		}))
	if err != nil {
		session.Close()
		return nil, fmt.Errorf("open link: %w", err)
	}
	return l, nil
}

// streamWindow is how much of a stream may be under way unread, bytes. It bounds what a
// peer can make this node hold, and how long a keep-alive waits behind a stream's data.
const streamWindow = 1 << 20

// MaxMessage bounds a message between nodes, bytes: a record of a VM lists all its stays.
const MaxMessage = 16 << 20

// Name is the name of the node at the other end.
func (l *Link) Name() string { return l.peer.Name }

// Peer is what the other node said of itself when the link was made.
func (l *Link) Peer() *pb.NodeInfo { return l.peer }

// Client asks the other node.
func (l *Link) Client() pb.PeerClient { return pb.NewPeerClient(l.client) }

// Done is closed when the link is gone.
func (l *Link) Done() <-chan struct{} { return l.session.CloseChan() }

// OpenData opens one of the streams that carry the memory of a move.
func (l *Link) OpenData(token Token, number uint8) (net.Conn, error) {
	return l.open(header{kindData, token, number})
}

// RoundTrip is the least time of a few small requests.
func (l *Link) RoundTrip(ctx context.Context) (time.Duration, error) {
	least := time.Duration(-1)
	for range 5 {
		begin := time.Now()
		if _, err := l.Client().Ping(ctx, &pb.PingRequest{}); err != nil {
			return 0, fmt.Errorf("measure round trip: %w", err)
		}
		if rtt := time.Since(begin); least < 0 || rtt < least {
			least = rtt
		}
	}
	return least, nil
}

// Close ends the link and everything on it.
func (l *Link) Close() {
	l.closed.Do(func() {
		l.session.Close()
		l.client.Close()
	})
}

func (l *Link) open(h header) (net.Conn, error) {
	s, err := l.session.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("open stream to %s: %w", l.Name(), err)
	}
	if err := writeStreamHeader(s, h); err != nil {
		s.Close()
		return nil, fmt.Errorf("open stream to %s: %w", l.Name(), err)
	}
	return s, nil
}

// serve takes the streams that the peer opens, until the link ends.
func (l *Link) serve() {
	for {
		s, err := l.session.AcceptStream()
		if err != nil {
			return
		}
		go l.dispatch(s)
	}
}

func (l *Link) dispatch(s *yamux.Stream) {
	if err := s.SetReadDeadline(time.Now().Add(l.hub.cfg.Timeout)); err != nil {
		s.Close()
		return
	}
	h, err := readStreamHeader(s)
	if err != nil {
		if err != io.EOF {
			l.hub.log.Warn("stream refused", "peer", l.Name(), "err", err)
		}
		s.Close()
		return
	}
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		s.Close()
		return
	}
	if h.kind == kindControl {
		l.hub.control.put(controlConn{Conn: s, addr: Addr{l}})
		return
	}
	if !l.hub.data.deliver(h, l, s) {
		l.hub.log.Warn("stream refused: no such move", "peer", l.Name(), "token", h.token, "number", h.number)
		s.Close()
	}
}
