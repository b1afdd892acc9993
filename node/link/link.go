// Package link connects nodes: one TLS connection between two of them, whoever opened it,
// carries gRPC both ways, and the memory of a move has connections of its own beside it. It also
// takes the connections of operators elsewhere, and of those who join.
package link

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Link is one live connection to another node.
type Link struct {
	hub     *Hub
	peer    *pb.NodeInfo
	key     trust.Key // of the peer's identity
	address string    // of the other end
	dialled bool      // by this node
	conn    *channel.Conn
	session *yamux.Session
	client  *grpc.ClientConn
	closed  sync.Once
	streams atomic.Int32 // opened by the peer, that are open
	data    dataConns    // opened under it

	certified
}

// newLink multiplexes a connection whose greeting is over.
func newLink(h *Hub, c *channel.Conn, peer *pb.NodeInfo, dialled bool) (*Link, error) {
	enrolled, until, err := h.trust.Authenticate(c.ConnectionState())
	if err != nil {
		return nil, err
	}
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
	l := &Link{
		hub: h, peer: peer, key: enrolled.Key, address: c.RemoteAddr().String(), dialled: dialled, conn: c, session: session,
		certified: newCertified(until),
	}
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
// peer can make this node hold, and how long a keep-alive waits behind an image's build.
const streamWindow = 1 << 20

// MaxMessage bounds a message between nodes, bytes: a record of a VM lists all its stays.
const MaxMessage = 16 << 20

// Name is the name of the node at the other end.
func (l *Link) Name() string { return l.peer.Name }

// Peer is what the other node said of itself when the link was made.
func (l *Link) Peer() *pb.NodeInfo { return l.peer }

// Allows says whether the other node may do one of those things here, as things stand now.
func (l *Link) Allows(rights trust.Rights) error { return l.hub.trust.Check(l.key, rights) }

// Client asks the other node.
func (l *Link) Client() pb.PeerClient { return pb.NewPeerClient(l.client) }

// Done is closed when the link is gone.
func (l *Link) Done() <-chan struct{} { return l.session.CloseChan() }

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

// Close ends the link and everything on it, and the data connections that were opened under it.
func (l *Link) Close() {
	l.closed.Do(func() {
		l.session.Close()
		l.data.end()
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

// maxStreams bounds the streams that a peer may have open at a time: one for gRPC is usual,
// and while it asks for data connections up to MaxStreams for each move.
const maxStreams = 8 * MaxStreams

// serve takes the streams that the peer opens, until the link ends.
func (l *Link) serve() {
	for {
		s, err := l.session.AcceptStream()
		if err != nil {
			return
		}
		if l.streams.Add(1) > maxStreams {
			l.hub.log.Warn("link ended: too many streams", "peer", l.Name())
			l.Close()
			return
		}
		go l.dispatch(&peerStream{Stream: s, link: l})
	}
}

// A peerStream counts among those that its peer has open.
type peerStream struct {
	*yamux.Stream
	link *Link
	once sync.Once
}

func (s *peerStream) Close() error {
	s.once.Do(func() { s.link.streams.Add(-1) })
	return s.Stream.Close()
}

func (l *Link) dispatch(s *peerStream) {
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
	if h.kind == kindRenewal {
		defer s.Close()
		if err := l.takeRenewal(s); err != nil {
			l.hub.log.Warn("link ended: no valid certificate", "peer", l.Name(), "err", err)
			l.Close()
		}
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
	defer s.Close()
	if err := l.dialAsked(h); err != nil {
		l.hub.log.Warn("data connection refused", "peer", l.Name(), "number", h.number, "err", err)
		return
	}
	s.Write([]byte{dialledData}) // who asked sees it come, whatever becomes of this
}
