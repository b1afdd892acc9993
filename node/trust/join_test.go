package trust

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/node/channel"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// serveJoins has a store enrol whoever connects to the address that it returns. What comes of
// each connection is sent.
func serveJoins(t *testing.T, s *Store) (address string, outcome <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	results := make(chan error, 16)
	go func() {
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			c, err := s.Handshake(t.Context(), raw)
			if err == nil {
				_, err = s.Accept(c)
			}
			raw.Close()
			results <- err
		}
	}()
	return ln.Addr().String(), results
}

func issueFor(t *testing.T, s *Store, address, name string, rights Rights) *Token {
	t.Helper()
	token, err := s.Issue("server", name, rights, time.Hour, []string{address})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestJoin: a token enrols either side with the other, once, and again for its holder alone.
func TestJoin(t *testing.T) {
	server, board, thief := testStore(t), testStore(t), testStore(t)
	address, _ := serveJoins(t, server)
	token := issueFor(t, server, address, "board", Send)
	for range 2 { // the second time as if the answer had been lost
		p, err := board.Join(t.Context(), token, "board", Receive, nil)
		if err != nil || p.Name != "server" || p.Key != server.Key() || p.Rights != Receive || !slices.Equal(p.Addresses, []string{address}) {
			t.Fatalf("joined %+v, %v", p, err)
		}
	}
	p, err := server.Peer("board")
	if err != nil || p.Key != board.Key() || p.Rights != Send || len(p.Addresses) != 0 {
		t.Errorf("the server knows %+v, %v", p, err)
	}
	if _, err := thief.Join(t.Context(), token, "board", Node, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "was used by "+board.Key().String()) {
		t.Errorf("a token used by another: %v", err)
	}
	if len(thief.Peers()) != 0 {
		t.Error("who was refused knows the issuer")
	}
	if p, err := server.Peer("board"); err != nil || p.Key != board.Key() {
		t.Errorf("afterwards the server knows %+v, %v", p, err)
	}
	if len(server.Pending()) != 0 {
		t.Error("a token that was used waits to be used")
	}
}

// TestJoinRefuses: tokens that hold no more, or are for somebody else.
func TestJoinRefuses(t *testing.T) {
	server, board := testStore(t), testStore(t)
	address, _ := serveJoins(t, server)
	token := issueFor(t, server, address, "board", Node)
	if _, err := board.Join(t.Context(), token, "other", Node, nil); err == nil || !strings.Contains(err.Error(), "the token is for board") {
		t.Errorf("under another name: %v", err)
	}
	if _, err := server.Join(t.Context(), token, "board", Node, nil); err == nil || !strings.Contains(err.Error(), "this node's own") {
		t.Errorf("by its issuer: %v", err)
	}
	board.clock = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if _, err := board.Join(t.Context(), token, "board", Node, nil); err == nil || !strings.Contains(err.Error(), "ran out") {
		t.Errorf("too late, by the holder's clock: %v", err)
	}
	board.clock = time.Now
	issueFor(t, server, address, "board", Node) // voids the one before
	if _, err := board.Join(t.Context(), token, "board", Node, nil); !errors.Is(err, ErrRefused) {
		t.Errorf("a void token: %v", err)
	}
	forged := *token
	forged.secret[0] ^= 1
	if _, err := board.Join(t.Context(), &forged, "board", Node, nil); !errors.Is(err, ErrRefused) {
		t.Errorf("a forged token: %v", err)
	}
	if err := server.Revoke("board"); err != nil {
		t.Fatal(err)
	}
	if _, err := board.Join(t.Context(), token, "board", Node, nil); err == nil || !strings.Contains(err.Error(), "refuses this identity") {
		t.Errorf("where no token is outstanding: %v", err)
	}
	if n := len(server.Peers()) + len(board.Peers()); n != 0 {
		t.Errorf("%d are enrolled all the same", n)
	}
}

// TestImpostor: whoever does not have the key that the token names learns nothing but that
// somebody speaks TLS: neither the joining side's identity nor its proof.
func TestImpostor(t *testing.T) {
	server, board, impostor := testStore(t), testStore(t), testStore(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	token := issueFor(t, server, ln.Addr().String(), "board", Node)
	issueFor(t, impostor, ln.Addr().String(), "board", Node) // so that it is willing
	seen := make(chan error, 1)
	go func() {
		raw, err := ln.Accept()
		if err != nil {
			seen <- err
			return
		}
		defer raw.Close()
		c := tls.Server(raw, impostor.serverConfig())
		err = c.Handshake()
		if len(c.ConnectionState().PeerCertificates) > 0 {
			err = nil
		}
		seen <- err
	}()
	if _, err := board.Join(t.Context(), token, "board", Node, nil); err == nil || !strings.Contains(err.Error(), "another identity answers there") {
		t.Errorf("joined an impostor: %v", err)
	}
	if err := <-seen; err == nil {
		t.Error("the impostor has seen who joins")
	}
	if len(board.Peers()) != 0 {
		t.Error("the impostor is trusted")
	}
}

// TestProofIsOfOneConnection: a proof that was seen on one connection is worth nothing on
// another, nor for another identity.
func TestProofIsOfOneConnection(t *testing.T) {
	server, board := testStore(t), testStore(t)
	address, outcome := serveJoins(t, server)
	token := issueFor(t, server, address, "board", Node)
	dial := func() (*channel.Conn, *pb.JoinRequest) {
		c, err := board.Dial(t.Context(), address, ProtoJoin, server.Key())
		if err != nil {
			t.Fatal(err)
		}
		what, err := proofText(c, board.Key(), "board")
		if err != nil {
			t.Fatal(err)
		}
		return c, &pb.JoinRequest{TokenId: token.id(), Name: "board", Proof: ed25519.Sign(token.proofKey(), what)}
	}
	first, proof := dial()
	first.Close()
	<-outcome
	for name, change := range map[string]func(*pb.JoinRequest){
		"another connection's": func(r *pb.JoinRequest) { r.Proof = proof.Proof },
		"another token's":      func(r *pb.JoinRequest) { r.TokenId = "0000000000000000" },
		"none":                 func(r *pb.JoinRequest) { r.Proof = nil },
		"of another name":      func(r *pb.JoinRequest) { r.Name = "x" },
	} {
		c, req := dial()
		change(req)
		if err := writeMessage(c, req); err != nil {
			t.Fatal(err)
		}
		if n, err := io.ReadAll(c); len(n) != 0 {
			t.Errorf("%s: answered with %q, %v", name, n, err)
		}
		c.Close()
		if err := <-outcome; err == nil {
			t.Errorf("%s: enrolled", name)
		}
	}
	if len(server.Peers()) != 0 || len(server.Pending()) != 1 {
		t.Errorf("%d peers, %d tokens", len(server.Peers()), len(server.Pending()))
	}
}

// TestRenewal: a new certificate holds for the connection that it was made for, and for the
// identity that the connection has.
func TestRenewal(t *testing.T) {
	server, board := testStore(t), testStore(t)
	for s, other := range map[*Store]Peer{server: {Name: "board", Key: board.Key(), Rights: Node}, board: {Name: "server", Key: server.Key(), Rights: Node}} {
		if err := s.Enrol(other); err != nil {
			t.Fatal(err)
		}
	}
	connect := func() (client, accepted *channel.Conn) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		got := make(chan *channel.Conn, 1)
		go func() {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			c, err := server.Handshake(t.Context(), raw)
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
		client, err = board.Dial(t.Context(), ln.Addr().String(), ProtoLink, server.Key())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		return client, <-got
	}
	client, accepted := connect()
	_, before, err := server.Authenticate(accepted.ConnectionState())
	if err != nil {
		t.Fatal(err)
	}
	later := func() time.Time { return time.Now().Add(Lifetime * 3 / 4) }
	board.clock, server.clock = later, later
	renewal, err := board.Renew(client.ConnectionState())
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := renewal.Send(&wire); err != nil {
		t.Fatal(err)
	}
	sent, err := ReadRenewal(&wire)
	if err != nil {
		t.Fatal(err)
	}
	until, err := server.CheckRenewal(accepted.ConnectionState(), board.Key(), sent)
	if err != nil || !until.After(before.Add(Lifetime/2)) {
		t.Errorf("it held until %v, and now until %v, %v", before, until, err)
	}
	_, other := connect()
	if _, err := server.CheckRenewal(other.ConnectionState(), board.Key(), sent); err == nil {
		t.Error("a renewal holds for another connection")
	}
	if _, err := server.CheckRenewal(accepted.ConnectionState(), server.Key(), sent); err == nil {
		t.Error("a renewal holds for another identity")
	}
	sent.signature[0] ^= 1
	if _, err := server.CheckRenewal(accepted.ConnectionState(), board.Key(), sent); err == nil {
		t.Error("a renewal with a wrong signature holds")
	}
	sent.signature[0] ^= 1
	if err := server.Revoke("board"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.CheckRenewal(accepted.ConnectionState(), board.Key(), sent); !errors.Is(err, ErrRevoked) {
		t.Errorf("a renewal of who is revoked: %v", err)
	}
}

// TestStrangersAtTheHandshake: those who are not enrolled, or not for this, get no connection
// and hear so.
func TestStrangersAtTheHandshake(t *testing.T) {
	server := testStore(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	outcome := make(chan error, 1)
	go func() {
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			_, err = server.Handshake(t.Context(), raw)
			outcome <- err
			raw.Close()
		}
	}()
	know := func(name string, rights Rights) *Store {
		s := testStore(t)
		if err := server.Enrol(Peer{Name: name, Key: s.Key(), Rights: rights}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	revoked, operator, node := know("revoked", Node|Operate), know("operator", Operate), know("node", Node)
	if err := server.Revoke("revoked"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		who   string
		store *Store
		proto string
		ok    bool
	}{
		{"stranger", testStore(t), ProtoLink, false},
		{"stranger", testStore(t), ProtoOperator, false},
		{"stranger", testStore(t), ProtoJoin, false}, // no token is outstanding
		{"stranger", testStore(t), "h2", false},
		{"revoked", revoked, ProtoLink, false},
		{"revoked", revoked, ProtoOperator, false},
		{"operator", operator, ProtoLink, false},
		{"node", node, ProtoOperator, false},
		{"operator", operator, ProtoOperator, true},
		{"node", node, ProtoLink, true},
	} {
		c, err := test.store.Dial(t.Context(), ln.Addr().String(), test.proto, server.Key())
		if err == nil {
			c.Close()
		}
		if seen := <-outcome; (seen == nil) != test.ok || (err == nil) != test.ok {
			t.Errorf("%s for %s: %v, and there %v", test.who, test.proto, err, seen)
		}
		if err != nil && !strings.Contains(err.Error(), "the other side") {
			t.Errorf("%s for %s: %v does not say who refuses", test.who, test.proto, err)
		}
	}
	// A client without any certificate, and one that speaks an older TLS.
	for name, cfg := range map[string]*tls.Config{
		"no certificate": {InsecureSkipVerify: true, NextProtos: []string{ProtoLink}},
		"no protocol":    {InsecureSkipVerify: true, GetClientCertificate: node.clientConfig(ProtoLink, server.Key()).GetClientCertificate},
		"TLS 1.2":        {InsecureSkipVerify: true, NextProtos: []string{ProtoLink}, MaxVersion: tls.VersionTLS12},
	} {
		c, err := tls.Dial("tcp", ln.Addr().String(), cfg)
		if err == nil {
			_, err = c.Read(make([]byte, 1))
			c.Close()
		}
		if seen := <-outcome; seen == nil || err == nil {
			t.Errorf("%s: %v, and there %v", name, err, seen)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := node.Dial(ctx, silent.Addr().String(), ProtoLink, server.Key()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who never answers: %v", err)
	}
}

// FuzzJoinMessage: bytes are an error or a message that survives a round trip.
func FuzzJoinMessage(f *testing.F) {
	var b bytes.Buffer
	if err := writeMessage(&b, &pb.JoinRequest{TokenId: "00", Name: "board", Proof: make([]byte, 64)}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again pb.JoinRequest
		if readMessage(bytes.NewReader(b), &m) != nil {
			return
		}
		var out bytes.Buffer
		if err := writeMessage(&out, &m); err != nil {
			t.Fatal(err)
		}
		if err := readMessage(&out, &again); err != nil || !proto.Equal(&m, &again) {
			t.Errorf("%v became %v, %v", &m, &again, err)
		}
	})
}

// FuzzRenewal: bytes are an error or a renewal that survives a round trip, and none holds.
func FuzzRenewal(f *testing.F) {
	s := testStore(f)
	f.Add([]byte{1, 0, 0})
	f.Add(make([]byte, 2+ed25519.SignatureSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadRenewal(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := r.Send(&out); err != nil || !bytes.HasPrefix(b, out.Bytes()) {
			t.Errorf("%x became %x, %v", b, out.Bytes(), err)
		}
		if _, err := s.CheckRenewal(tls.ConnectionState{}, s.Key(), r); err == nil {
			t.Error("it holds for a connection without certificates")
		}
	})
}
