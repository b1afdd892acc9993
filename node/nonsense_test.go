package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/trust/trusttest"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A hostile speaks to a node by hand, as a peer that is enrolled and means ill, or as a
// stranger.
type hostile struct {
	t      *testing.T
	node   *testNode
	store  *trust.Store
	random *rand.Rand
}

func newHostile(t *testing.T, n *testNode) *hostile {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := &hostile{t: t, node: n, store: trusttest.Open(t, ""), random: rand.New(rand.NewPCG(seed, 0))}
	trusttest.Know(t, n.cfg.Trust, trusttest.Party{Name: "hostile", Store: h.store}, trust.Node|trust.Operate)
	return h
}

// noise is some random bytes.
func (h *hostile) noise() []byte {
	b := make([]byte, 1+h.random.IntN(600))
	for i := range b {
		b[i] = byte(h.random.Uint32())
	}
	return b
}

// preamble is how a data connection begins.
func preamble(token []byte, number byte) []byte {
	return append(append([]byte("\xdamig"), token...), number)
}

func (h *hostile) tcp() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.node.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

// tls is through the handshake.
func (h *hostile) tls(proto string) net.Conn {
	h.t.Helper()
	c, err := h.dialTLS(proto)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

func (h *hostile) dialTLS(proto string) (net.Conn, error) {
	return h.store.Dial(h.t.Context(), h.node.address, proto, h.node.cfg.Trust.Key())
}

// link is through the greeting, too.
func (h *hostile) link() net.Conn {
	h.t.Helper()
	c := h.tls(trust.ProtoLink)
	hello, err := proto.Marshal(&pb.Hello{Node: &pb.NodeInfo{Name: "hostile", Id: "1", Protocol: link.Protocol}})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := c.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(hello))), hello...)); err != nil {
		h.t.Fatal(err)
	}
	var length [4]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		h.t.Fatal(err)
	}
	answer := make([]byte, binary.LittleEndian.Uint32(length[:]))
	if _, err := io.ReadFull(c, answer); err != nil {
		h.t.Fatal(err)
	}
	var said pb.Hello
	if err := proto.Unmarshal(answer, &said); err != nil || said.Refused != "" {
		h.t.Fatalf("greeted with %v, %v", &said, err)
	}
	return c
}

// session has a link whose streams are its own to open.
func (h *hostile) session() *yamux.Session {
	h.t.Helper()
	cfg := yamux.DefaultConfig()
	cfg.LogOutput = io.Discard
	s, err := yamux.Client(h.link(), cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { s.Close() })
	go func() { // what the node opens is taken, or it gives up the link in time
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	return s
}

func (h *hostile) stream(s *yamux.Session, header ...byte) net.Conn {
	h.t.Helper()
	c, err := openStream(s, header...)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func openStream(s *yamux.Session, header ...byte) (net.Conn, error) {
	c, err := s.OpenStream()
	if err == nil {
		_, err = c.Write(header)
	}
	return c, err
}

// ends says what it has to say, and the other side must end the connection, with an alert or
// an answer of a few bytes at the most.
func (h *hostile) ends(name string, c net.Conn, words []byte) {
	h.t.Helper()
	c.Write(words) // it may be closed already
	n, err := io.Copy(io.Discard, c)
	if n > 64<<10 {
		h.t.Errorf("%s: it answers with %d bytes, %v", name, n, err)
	}
	c.Close()
}

// unharmed moves a VM by a good peer.
func unharmed(t *testing.T, server, board *testNode, name string) {
	t.Helper()
	server.run(name, "idle")
	server.move(name, "board")
	server.move(name, "")
	if rec := server.inspect(name); rec.State != pb.VMState_VM_STATE_RUNNING || rec.Generation != 2 {
		t.Errorf("after the nonsense a VM is %v after %d moves", rec.State, rec.Generation)
	}
}

// TestNonsense: nothing that comes by a connection, in whatever state that is, does more than
// end it.
func TestNonsense(t *testing.T) {
	server, board := pair(t, true)
	h := newHostile(t, server)
	clientHello := func() []byte {
		local, remote := net.Pipe()
		defer local.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go h.store.Handshake(ctx, remote) // its refusal is of no interest
		var b bytes.Buffer
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go h.store.Dial(ctx, ln.Addr().String(), trust.ProtoLink, h.store.Key())
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var header [5]byte
		if _, err := io.ReadFull(c, header[:]); err != nil {
			t.Fatal(err)
		}
		b.Write(header[:])
		if _, err := io.CopyN(&b, c, int64(binary.BigEndian.Uint16(header[3:]))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()

	// Before TLS, and in the middle of it. Those who fall silent are let go after a while.
	h.ends("noise", h.tcp(), append([]byte("x"), h.noise()...))
	h.ends("HTTP/2", h.tcp(), []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	h.ends("HTTP", h.tcp(), []byte("GET / HTTP/1.1\r\n\r\n"))
	h.ends("SSH", h.tcp(), []byte("SSH-2.0-x\r\n"))
	for _, token := range [][]byte{make([]byte, 16), bytes.Repeat([]byte{255}, 16), h.noise()} {
		h.ends("memory of no move", h.tcp(), append(preamble(token, 0), h.noise()...))
		h.ends("a stream that no move has", h.tcp(), append(preamble(token, 255), h.noise()...))
	}
	h.ends("half a token", h.tcp(), preamble(nil, 0))
	h.ends("a preamble and noise", h.tcp(), append(preamble(nil, 0)[:3], h.noise()...))
	h.ends("a large record", h.tcp(), []byte{0x16, 3, 1, 0xff, 0xff, 1})
	h.ends("a large ClientHello", h.tcp(), []byte{0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff})
	h.ends("half a ClientHello", h.tcp(), clientHello[:len(clientHello)/2])
	h.ends("a ClientHello and noise", h.tcp(), append(bytes.Clone(clientHello), h.noise()...))
	for range 20 {
		changed := bytes.Clone(clientHello)
		changed[5+h.random.IntN(len(changed)-5)] ^= byte(1 + h.random.IntN(255))
		h.ends("a changed ClientHello", h.tcp(), append(changed, h.noise()...))
	}
	// Behind it, for each thing that a connection can be for.
	if _, err := pb.NewTrustClient(server.conn).IssueToken(t.Context(), &pb.IssueTokenRequest{Name: "nobody", Addresses: []string{"h:1"}}); status.Code(err) != codes.FailedPrecondition {
		t.Fatalf("a token of who listens nowhere: %v", err)
	}
	if _, err := server.cfg.Trust.Issue("server", "nobody", trust.Node, trust.DefaultTTL, []string{"h:1"}); err != nil {
		t.Fatal(err)
	}
	for proto, prefix := range map[string]func(n int) []byte{
		trust.ProtoJoin:     func(n int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(n)) },
		trust.ProtoLink:     func(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) },
		trust.ProtoOperator: func(n int) []byte { return []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
	} {
		h.ends(proto+": a large length", h.tls(proto), bytes.Repeat([]byte{0xff}, 100))
		for range 5 {
			noise := h.noise()
			h.ends(proto+": noise", h.tls(proto), append(prefix(len(noise)), noise...))
		}
	}
	h.ends("a link that falls silent", h.tls(trust.ProtoLink), nil)
	h.ends("an operator who falls silent", h.tls(trust.ProtoOperator), nil)
	// Behind the greeting.
	for range 10 {
		h.ends("noise in a link", h.link(), append([]byte{1}, h.noise()...))
	}
	h.ends("a large frame", h.link(), []byte{0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0})
	h.ends("a frame of no stream", h.link(), []byte{0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0})

	// In streams.
	s := h.session()
	for _, header := range [][]byte{{0}, {9}, {255}, {2}, append([]byte{2}, make([]byte, 16)...), append([]byte{2}, make([]byte, 17)...), append([]byte{2}, bytes.Repeat([]byte{255}, 17)...)} {
		h.ends(fmt.Sprintf("a stream that begins with %x", header), h.stream(s, header...), h.noise())
	}
	for range 10 {
		h.ends("noise for gRPC", h.stream(s, 1), append([]byte{1}, h.noise()...))
	}
	if s.IsClosed() {
		t.Error("nonsense in one stream has ended the link")
	}
	h.ends("noise for a certificate", h.stream(s, 3), bytes.Repeat([]byte{1}, 4096))
	if _, err := s.Ping(); err == nil {
		t.Error("a wrong certificate has not ended the link")
	}
	// More streams than anybody needs.
	s = h.session()
	for range 1000 {
		c, err := s.OpenStream()
		if err != nil {
			break
		}
		if _, err := c.Write([]byte{1}); err != nil {
			break
		}
	}
	<-s.CloseChan()
	unharmed(t, server, board, "after")
}

// rawCodec sends and receives messages as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (rawCodec) Name() string                       { return "proto" }

// TestNonsenseInRequests calls every method that a peer or an operator elsewhere reaches, with
// noise, with nothing, and with more than a message may be.
func TestNonsenseInRequests(t *testing.T) {
	server, board := pair(t, true)
	h := newHostile(t, server)
	idle := server.run("idle", "idle")
	session := h.session()
	dial := func(dialer func() (net.Conn, error)) *grpc.ClientConn {
		conn, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return dialer() }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	peer := dial(func() (net.Conn, error) { return openStream(session, 1) })
	operator := dial(func() (net.Conn, error) { return h.dialTLS(trust.ProtoOperator) })
	large := make([]byte, 17<<20)
	known, err := proto.Marshal(&pb.VMRequest{Vm: idle.Id}) // many begin with the id of a VM
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for conn, service := range map[*grpc.ClientConn]grpc.ServiceDesc{peer: pb.Peer_ServiceDesc, operator: pb.Node_ServiceDesc} {
		var methods []string
		for _, m := range service.Methods {
			methods = append(methods, m.MethodName)
		}
		for _, m := range service.Streams {
			methods = append(methods, m.StreamName)
		}
		for _, method := range methods {
			for _, message := range [][]byte{nil, h.noise(), h.noise(), h.noise(), append(bytes.Clone(known), h.noise()...), large} {
				if strings.HasSuffix(method, "Stop") && bytes.HasPrefix(message, known) {
					continue // it would be understood
				}
				// By chance noise may be a request that is understood and waits for the VM's end.
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
					"/"+service.ServiceName+"/"+method, grpc.ForceCodec(rawCodec{}))
				if err != nil {
					t.Fatalf("%s: %v", method, err)
				}
				if stream.SendMsg(&message) == nil {
					stream.CloseSend()
				}
				var answer []byte
				if err = stream.RecvMsg(&answer); err != nil && err != io.EOF {
					if code := status.Code(err); code == codes.OK || code == codes.Unavailable && !strings.Contains(err.Error(), "not connected") {
						t.Errorf("%s, %.20x: %v", method, message, err)
					}
				}
				cancel()
				calls++
			}
		}
	}
	if calls < 100 {
		t.Errorf("only %d calls", calls)
	}
	if rec := server.inspect("idle"); rec.State != pb.VMState_VM_STATE_RUNNING {
		t.Errorf("the VM that was there is %v", rec.State)
	}
	unharmed(t, server, board, "after")
}

// TestNonsenseAsMemory reserves places for VMs, as a good source would, and sends noise for
// memory: everything is given back.
func TestNonsenseAsMemory(t *testing.T) {
	n := startNode(t, "server", isa.X86_64)
	h := newHostile(t, n)
	digest := n.importImage().Digest
	m, err := n.images.Get(image.Digest(digest))
	if err != nil {
		t.Fatal(err)
	}
	session := h.session()
	conn, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return openStream(session, 1) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer := pb.NewPeerClient(conn)
	for i := range 5 {
		digit := string(rune('a' + i))
		token := []byte(strings.Repeat(digit, 16))
		keys, err := channel.NewKeys()
		if err != nil {
			t.Fatal(err)
		}
		mine := keys.Digest()
		answer, err := peer.Prepare(t.Context(), &pb.PrepareRequest{
			Token: token, Config: m.ConfigBlob(), Certificate: mine[:],
			Vm: &pb.VM{
				Id: strings.Repeat(digit, 32), Name: "job-" + digit, Home: "hostile", Node: "hostile", Image: digest, Memory: 1 << 20,
				Generation: 1, Stays: []*pb.Stay{{Node: "hostile", LogEnd: -1}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		// Who has heard the token and has not the keys is in nobody's way.
		h.ends("noise for memory", h.tcp(), append(preamble(token, 0), h.noise()...))
		theirs, err := channel.ParseDigest(answer.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := channel.Config(keys.With(theirs))
		if err != nil {
			t.Fatal(err)
		}
		data := h.tcp()
		if _, err := data.Write(preamble(token, 0)); err != nil {
			t.Fatal(err)
		}
		secured := channel.NewClient(data, cfg)
		if _, err := secured.Write(h.noise()); err != nil {
			t.Fatal(err)
		}
		secured.Close()
		if _, err := peer.Ready(t.Context(), &pb.ReadyRequest{Token: token, LogEnd: -5}); err == nil {
			t.Error("a VM whose memory is noise is ready")
		}
		if answer, err := peer.Start(t.Context(), &pb.StartRequest{Token: token}); err != nil || answer.Started {
			t.Errorf("a VM whose memory is noise starts: %v, %v", answer, err)
		}
	}
	n.checkNothingLeft()
}
