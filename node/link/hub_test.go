package link

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/trust/trusttest"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A testHub is a hub that listens, and answers Status with the name of who asks.
type testHub struct {
	*Hub
	name    string
	address string
}

type echo struct{ pb.UnimplementedPeerServer }

func (echo) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.NodeInfo, error) {
	p, _ := peer.FromContext(ctx)
	return &pb.NodeInfo{Name: p.Addr.(Addr).Link.Name()}, nil
}

func (echo) Ping(context.Context, *pb.PingRequest) (*pb.PingResponse, error) {
	return &pb.PingResponse{}, nil
}

// newHub starts a hub that knows those that it is given, as they know it; it dials those that
// have an address.
func newHub(t testing.TB, name, id string, dialled ...*testHub) *testHub {
	t.Helper()
	store := trusttest.Open(t, "")
	var peers []Peer
	for _, other := range dialled {
		trusttest.Enrol(t, trusttest.Party{Name: name, Store: store}, trusttest.Party{Name: other.name, Store: other.trust})
		peers = append(peers, Peer{other.name, other.address})
	}
	return newHubWith(t, name, id, store, peers...)
}

func newHubWith(t testing.TB, name, id string, store *trust.Store, peers ...Peer) *testHub {
	t.Helper()
	h := NewHub(Config{
		Self:    func() *pb.NodeInfo { return &pb.NodeInfo{Name: name, Id: id} },
		Trust:   store,
		Peers:   peers,
		Log:     slog.New(slog.DiscardHandler),
		Timeout: time.Second, KeepAlive: 200 * time.Millisecond, Backoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
	})
	t.Cleanup(h.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go h.Serve(ln)
	server := grpc.NewServer()
	pb.RegisterPeerServer(server, echo{})
	go server.Serve(h.Control())
	t.Cleanup(server.Stop)
	return &testHub{h, name, ln.Addr().String()}
}

func waitLink(t testing.TB, h *testHub, name string) *Link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := h.Wait(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestBothWays asks and sends from either end of one connection.
func TestBothWays(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	for _, side := range []struct {
		from, to *testHub
		me, you  string
	}{{b, a, "b", "a"}, {a, b, "a", "b"}} {
		l := waitLink(t, side.from, side.you)
		answer, err := l.Client().Status(t.Context(), &pb.StatusRequest{})
		if err != nil || answer.Name != side.me {
			t.Errorf("%s asked %s, which was asked by %v, %v", side.me, side.you, answer, err)
		}
		if rtt, err := l.RoundTrip(t.Context()); err != nil || rtt <= 0 {
			t.Errorf("round trip %v, %v", rtt, err)
		}
		e, err := side.to.Expect(Token{1}, side.me)
		if err != nil {
			t.Fatal(err)
		}
		out, err := l.OpenData(t.Context(), Token{1}, 7)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte("memory")); err != nil {
			t.Fatal(err)
		}
		out.Close()
		in, err := e.Wait(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(in); err != nil || string(got) != "memory" {
			t.Errorf("got %q, %v", got, err)
		}
		e.Cancel()
	}
	if n := len(a.Status()); n != 1 {
		t.Errorf("one node is listed %d times", n)
	}
}

// TestUnexpectedStream: a data stream that nobody waits for, or that another node was to
// send, or that comes twice, is closed.
func TestUnexpectedStream(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	l := waitLink(t, b, "a")
	other, err := a.Expect(Token{2}, "c")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Cancel()
	twice, err := a.Expect(Token{3}, "b")
	if err != nil {
		t.Fatal(err)
	}
	defer twice.Cancel()
	if _, err := a.Expect(Token{3}, "b"); err == nil {
		t.Error("one token was expected twice")
	}
	first, err := l.OpenData(t.Context(), Token{3}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for len(twice.conns[0]) == 0 {
		time.Sleep(time.Millisecond)
	}
	for _, token := range []Token{{1}, {2}, {3}} {
		s, err := l.OpenData(t.Context(), token, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Read(make([]byte, 1)); err == nil {
			t.Errorf("token %v: read %d bytes of a stream that was not expected", token, n)
		}
	}
}

// TestReconnects: a link that ends is replaced, and Wait finds the new one.
func TestReconnects(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	old := waitLink(t, a, "b")
	old.Close()
	for range 1000 {
		if l := waitLink(t, b, "a"); l.dialled {
			if _, err := l.Client().Status(t.Context(), &pb.StatusRequest{}); err == nil {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("no link after the first one ended")
}

// TestNames: links are for nodes with names of their own, that are called as they are known.
func TestNames(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	waitLink(t, a, "b")
	for _, test := range []struct {
		name, known, id string // what it calls itself, and what a calls it
		calls           string // what it calls a
		store           *trust.Store
		want            string
	}{
		{"a", "a", "3", "a", nil, `both nodes are called "a"`},
		{"b", "b", "4", "a", b.trust, `another node is called "b" too`},
		{"c", "d", "5", "a", nil, `it calls itself "c", and is enrolled as "d"`},
		{"c", "c", "6", "x", nil, `is called "a", not "x"`},
	} {
		store := test.store
		if store == nil {
			store = trusttest.Open(t, "")
			trusttest.Know(t, a.trust, trusttest.Party{Name: test.known, Store: store}, trust.Node)
			trusttest.Know(t, store, trusttest.Party{Name: test.calls, Store: a.trust}, trust.Node)
		}
		h := newHubWith(t, test.name, test.id, store)
		if err := h.dial(t.Context(), Peer{test.calls, a.address}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s dials %s: %v, want %q", test.name, test.calls, err, test.want)
		}
	}
	if _, err := a.Link("nobody"); !errors.Is(err, ErrUnknownPeer) {
		t.Errorf("link to nobody: %v", err)
	}
}

// TestSetPeers: a peer that is added is dialled, one whose address changes is dialled there,
// one that is removed is not dialled again; links stay all the while, and each coming and
// going of a node is told once.
func TestSetPeers(t *testing.T) {
	told := make(chan string, 100)
	b := newHub(t, "b", "2")
	store := trusttest.Open(t, "")
	trusttest.Enrol(t, trusttest.Party{Name: "a", Store: store}, trusttest.Party{Name: "b", Store: b.trust})
	a := NewHub(Config{
		Self:    func() *pb.NodeInfo { return &pb.NodeInfo{Name: "a", Id: "1"} },
		Trust:   store,
		Peers:   []Peer{{"b", "127.0.0.1:1"}},
		Log:     slog.New(slog.DiscardHandler),
		Timeout: time.Second, Backoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		Notify: func(name, _ string, up bool) {
			if up {
				told <- "up " + name
			} else {
				told <- "down " + name
			}
		},
	})
	defer a.Close()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never told %q", want)
		}
	}
	a.SetPeers([]Peer{{"b", b.address}})
	expect("up b")
	if all := a.Status(); len(all) != 1 || all[0].Address != b.address || all[0].Link == nil {
		t.Errorf("status %+v", all)
	}
	a.SetPeers(nil)
	l, err := a.Link("b")
	if err != nil {
		t.Fatalf("the link to a removed peer is gone: %v", err)
	}
	l.Close()
	expect("down b")
	if _, err := a.Link("b"); !errors.Is(err, ErrUnknownPeer) {
		t.Errorf("a removed peer without a link: %v", err)
	}
	a.SetPeers([]Peer{{"b", b.address}})
	expect("up b")
	if len(told) > 0 {
		t.Errorf("told too much: %q", <-told)
	}
}
