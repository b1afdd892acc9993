package node

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// limited puts limits in force on a node.
func (n *testNode) limited(l Limits) {
	s := n.cfg.Settings
	s.Limits = l
	n.Apply(s)
}

// TestLimits: what a peer wants beyond the limits is refused, with the limit's name, and the
// VM goes on where it is; within them it goes through.
func TestLimits(t *testing.T) {
	server, board := pair(t, true)
	for _, test := range []struct {
		limits Limits
		want   string
	}{
		{Limits{PeerMemory: 1 << 19}, "1 MiB of memory are wanted, and of the 512 KiB that VMs of server may have here 0 B are taken (peer_memory"},
		{Limits{Image: 100}, "larger than a peer's image may be"},
		{Limits{Images: 100}, "larger than a peer's image may be"},
	} {
		board.limited(test.limits)
		name := fmt.Sprint("job-", len(server.list(true)))
		server.run(name, "idle") // however long it takes to be refused
		if _, err := server.tryMove(name, "board"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.limits, err, test.want)
		}
		if vm := server.inspect(name); vm.State != pb.VMState_VM_STATE_RUNNING {
			t.Errorf("%+v: it is %v", test.limits, vm.State)
		}
	}
	board.checkNothingLeft()

	board.limited(Limits{PeerMemory: 3 << 19})
	server.run("first", "idle")
	server.move("first", "board")
	server.run("second", "idle")
	if _, err := server.tryMove("second", "board"); err == nil || !strings.Contains(err.Error(), "1 MiB are taken (peer_memory") {
		t.Errorf("a second VM: %v", err)
	}
	server.move("first", "")
	server.move("second", "board") // what has left does not count

	board.limited(Limits{Images: 1})
	m, err := server.images.Get(image.Digest(server.inspect("first").Image))
	if err != nil {
		t.Fatal(err)
	}
	_, err = board.fetchImage(t.Context(), board.awaitLink("server"), m.Digest(), m.Builds()[0].Info)
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "no room for the image") {
		t.Errorf("an image for a full store: %v", err)
	}
}

// TestMovesAtATime: reservations that are not used count as long as they stand.
func TestMovesAtATime(t *testing.T) {
	server, board := pair(t, true)
	board.limited(Limits{Moves: 1})
	digest := server.importImage().Digest
	m, err := server.images.Get(image.Digest(digest))
	if err != nil {
		t.Fatal(err)
	}
	request := func(id string) *pb.PrepareRequest {
		return &pb.PrepareRequest{
			Token: []byte(strings.Repeat(id, 16)), Config: m.ConfigBlob(), Certificate: make([]byte, 32),
			Vm: &pb.VM{
				Id: strings.Repeat(id, 32), Name: "job-" + id, Home: "server", Node: "server", Image: digest, Memory: 1 << 20,
				Generation: 1, Stays: []*pb.Stay{{Node: "server", LogEnd: -1}},
			},
		}
	}
	peer := server.awaitLink("board").Client()
	if _, err := peer.Prepare(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Prepare(t.Context(), request("b")); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "1 moves to here are under way") {
		t.Errorf("a second move: %v", err)
	}
	if _, err := peer.Abort(t.Context(), &pb.AbortRequest{Token: request("a").Token}); err != nil {
		t.Fatal(err)
	}
	board.checkNothingLeft()
	if _, err := peer.Prepare(t.Context(), request("c")); err != nil {
		t.Errorf("when the first is over: %v", err)
	}
}

// TestRights: a request takes the right that it says, as things stand when it is made.
func TestRights(t *testing.T) {
	server, board := pair(t, true)
	allow := func(n *testNode, peer string, r trust.Rights) {
		t.Helper()
		if _, err := pb.NewTrustClient(n.conn).AllowPeer(t.Context(), &pb.AllowPeerRequest{Name: peer, Rights: r.Names()}); err != nil {
			t.Fatal(err)
		}
	}
	server.run("job", "idle")
	allow(board, "server", trust.Receive)
	if _, err := server.tryMove("job", "board"); status.Code(err) != codes.PermissionDenied && !strings.Contains(fmt.Sprint(err), "server has no right to this: it has receive, and needs send") {
		t.Errorf("a move to who does not want any: %v", err)
	}
	allow(board, "server", trust.Node)
	allow(server, "board", trust.Send)
	if _, err := server.tryMove("job", "board"); err == nil || !strings.Contains(err.Error(), "board has no right to this: it has send, and needs receive") {
		t.Errorf("a move to who may not have any: %v", err)
	}
	if _, err := board.awaitLink("server").Client().Resolve(t.Context(), &pb.ResolveRequest{Token: make([]byte, 16)}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a target's request of who may not be one: %v", err)
	}
	allow(server, "board", trust.Node)
	server.move("job", "board")
	server.move("job", "")
	board.checkNothingLeft()
}

// TestEveryMethodTakesARight: no method of a peer is forgotten.
func TestEveryMethodTakesARight(t *testing.T) {
	methods := pb.Peer_ServiceDesc.Methods
	if len(methods)+len(pb.Peer_ServiceDesc.Streams) != len(methodRights) {
		t.Errorf("%d methods and %d streams, and rights for %d", len(methods), len(pb.Peer_ServiceDesc.Streams), len(methodRights))
	}
	check := func(name string) {
		if methodRights["/"+pb.Peer_ServiceDesc.ServiceName+"/"+name] == 0 {
			t.Errorf("%s takes no right", name)
		}
	}
	for _, m := range methods {
		check(m.MethodName)
	}
	for _, s := range pb.Peer_ServiceDesc.Streams {
		check(s.StreamName)
	}
}

// TestRevokedAtOnce: when revoke returns, the peer has no link and gets no other, and VMs of
// either side go on.
func TestRevokedAtOnce(t *testing.T) {
	server, board := pair(t, true)
	server.run("here", "idle")
	server.run("away", "idle")
	server.move("away", "board")
	l := board.awaitLink("server")
	if _, err := pb.NewTrustClient(server.conn).RevokePeer(t.Context(), &pb.RevokePeerRequest{Name: "board"}); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Client().Status(t.Context(), &pb.StatusRequest{}); err == nil {
		t.Errorf("who is revoked asks and is told %v", n)
	}
	board.eventually("it hears why", func() bool {
		for _, s := range board.hub.Status() {
			if s.Name == "server" && s.Err != nil && strings.Contains(s.Err.Error(), "refuses this identity") {
				return true
			}
		}
		return false
	})
	_, err := server.tryMove("here", "board")
	switch status.Code(err) { // by whether it has come again meanwhile
	case codes.NotFound, codes.PermissionDenied:
	default:
		t.Errorf("a move to who is revoked: %v", err)
	}
	if rec := server.inspect("away"); rec.State != pb.VMState_VM_STATE_AWAY {
		t.Errorf("the VM there is %v here", rec.State)
	}
	if rec := board.inspect("away"); rec.State != pb.VMState_VM_STATE_RUNNING {
		t.Errorf("the VM there is %v there", rec.State)
	}
}
