package node

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/trust/trusttest"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm/hostabi"
)

// TestPrepareRefuses sends requests that no honest source would, or that come from one of
// another version.
func TestPrepareRefuses(t *testing.T) {
	server, board := pair(t, true)
	digest := server.importImage().Digest
	m, err := server.images.Get(image.Digest(digest))
	if err != nil {
		t.Fatal(err)
	}
	good := &pb.PrepareRequest{
		Token: make([]byte, 16), Config: m.ConfigBlob(), Certificate: make([]byte, 32),
		Vm: &pb.VM{
			Id: strings.Repeat("a", 32), Name: "job", Home: "server", Node: "server", Image: digest, Memory: 1 << 20,
			Generation: 1, Stays: []*pb.Stay{{Node: "server", LogEnd: -1}},
		},
	}
	otherABI := []byte(strings.Replace(string(m.ConfigBlob()), fmt.Sprintf(`"abi":%d`, hostabi.Version), `"abi":99`, 1))
	otherLayout := []byte(strings.Replace(string(m.ConfigBlob()), string(m.Config().LayoutHash), "sha256:"+strings.Repeat("1", 64), 1))
	for _, test := range []struct {
		name   string
		change func(*pb.PrepareRequest)
		code   codes.Code
		want   string
	}{
		{"token", func(r *pb.PrepareRequest) { r.Token = []byte("short") }, codes.InvalidArgument, "not a valid request"},
		{"certificate", func(r *pb.PrepareRequest) { r.Certificate = r.Certificate[1:] }, codes.InvalidArgument, "the digest of a certificate has 32 bytes, not 31"},
		{"no VM", func(r *pb.PrepareRequest) { r.Vm = nil }, codes.InvalidArgument, "not a valid request"},
		{"id", func(r *pb.PrepareRequest) { r.Vm.Id = "../x" }, codes.InvalidArgument, "not a valid record"},
		{"id that is a path", func(r *pb.PrepareRequest) { r.Vm.Id = strings.Repeat("../", 10) + "ab" }, codes.InvalidArgument, "not a valid record"},
		{"name", func(r *pb.PrepareRequest) { r.Vm.Name = "a b" }, codes.InvalidArgument, "not a valid record"},
		{"generation", func(r *pb.PrepareRequest) { r.Vm.Generation = 0 }, codes.InvalidArgument, "not a valid record"},
		{"stays", func(r *pb.PrepareRequest) { r.Vm.Stays = nil }, codes.InvalidArgument, "not a valid record"},
		{"home", func(r *pb.PrepareRequest) { r.Vm.Home = "board" }, codes.FailedPrecondition, "does not know it"},
		{"another image's config", func(r *pb.PrepareRequest) { r.Vm.Image = "sha256:" + strings.Repeat("0", 64) },
			codes.InvalidArgument, "not that of the VM's image"},
		{"another layout", func(r *pb.PrepareRequest) { r.Config = otherLayout }, codes.InvalidArgument, "not that of the VM's image"},
		{"no config", func(r *pb.PrepareRequest) { r.Config = []byte("{") }, codes.InvalidArgument, "not a valid image"},
		{"another contract", func(r *pb.PrepareRequest) {
			r.Config, r.Vm.Image = otherABI, string(image.DigestOf(otherABI))
		}, codes.FailedPrecondition, "the image is of ABI version 99"},
		{"memory", func(r *pb.PrepareRequest) { r.Vm.Memory = 1 << 60 }, codes.ResourceExhausted, "no room"},
	} {
		req := proto.CloneOf(good)
		test.change(req)
		_, err := server.awaitLink("board").Client().Prepare(t.Context(), req)
		if status.Code(err) != test.code || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %v %q", test.name, err, test.code, test.want)
		}
	}
	board.checkNothingLeft()
}

// TestUnknownMoves: a target that knows nothing of a move has not started it, and a source
// that knows nothing of one has not committed it.
func TestUnknownMoves(t *testing.T) {
	server, _ := pair(t, true)
	peer := server.awaitLink("board").Client()
	token := make([]byte, 16)
	if answer, err := peer.Start(t.Context(), &pb.StartRequest{Token: token}); err != nil || answer.Started || answer.Reason == "" {
		t.Errorf("start: %v, %v", answer, err)
	}
	if answer, err := peer.Resolve(t.Context(), &pb.ResolveRequest{Token: token}); err != nil || answer.Verdict != pb.Verdict_VERDICT_ABORTED {
		t.Errorf("resolve: %v, %v", answer, err)
	}
	if _, err := peer.Ready(t.Context(), &pb.ReadyRequest{Token: token}); status.Code(err) != codes.NotFound {
		t.Errorf("ready: %v", err)
	}
	if _, err := peer.Abort(t.Context(), &pb.AbortRequest{Token: token}); status.Code(err) != codes.NotFound {
		t.Errorf("abort: %v", err)
	}
	if _, err := peer.Start(t.Context(), &pb.StartRequest{Token: []byte("x")}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("start with a short token: %v", err)
	}
}

// TestStrangers: only a VM's home and its hosts may ask for it.
func TestStrangers(t *testing.T) {
	server, board := pair(t, true)
	stranger := startNode(t, "stranger", isa.X86_64, link.Peer{Name: "server", Address: server.address},
		link.Peer{Name: "board", Address: board.address})
	toServer, toBoard := stranger.awaitLink("server").Client(), stranger.awaitLink("board").Client()
	vm := server.run("job", "idle")
	server.move("job", "board")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	recvFollow := func(c pb.PeerClient) error {
		stream, err := c.Follow(ctx, &pb.FollowRequest{Vm: vm.Id, Generation: 1})
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	for name, err := range map[string]error{
		"follow":  recvFollow(toBoard),
		"stop":    second(toBoard.ForwardStop(ctx, &pb.StopRequest{Vm: vm.Id})),
		"release": second(toBoard.Release(ctx, &pb.ReleaseRequest{Vm: vm.Id, Generation: 1})),
		"wait":    second(toServer.ForwardWait(ctx, &pb.VMRequest{Vm: vm.Id})),
		"arrived": second(toServer.Arrived(ctx, &pb.ArrivedRequest{Vm: &pb.VM{Id: vm.Id, Node: "board", Generation: 2}})),
	} {
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_AWAY || rec.Node != "board" {
		t.Errorf("afterwards it is %v on %s", rec.State, rec.Node)
	}
}

func second[T any](_ T, err error) error { return err }

// TestStartFailsAtHome: a VM whose home takes it back and cannot start it goes on where it
// was, and its log with it.
func TestStartFailsAtHome(t *testing.T) {
	server, board := pair(t, true)
	server.run("job", "count", "1500")
	server.move("job", "board")
	server.faults.set(func(f *faults) { f.startErr = errNoCPU })
	if _, err := server.tryMove("job", ""); err == nil || !strings.Contains(err.Error(), "server could not start it: no vCPU") {
		t.Errorf("recall: %v", err)
	}
	server.faults.set(func(f *faults) { f.startErr = nil })
	if rec := server.inspect("job"); rec.State != pb.VMState_VM_STATE_AWAY || rec.Node != "board" || rec.Generation != 1 {
		t.Errorf("afterwards it is %v on %s after %d moves", rec.State, rec.Node, rec.Generation)
	}
	server.move("job", "")
	if end := server.wait("job"); end.Exit.GetCode() != 42 || end.Node != "server" {
		t.Errorf("it ended with %v on %s", end.Exit, end.Node)
	}
	if got, want := server.logs("job", true), countOutput(1500); got != want {
		t.Errorf("log has %d bytes, want %d; first difference at %d", len(got), len(want), differ(got, want))
	}
	board.eventually("the VM is forgotten", func() bool { return len(board.list(true)) == 0 })
}

// remote connects to a node as an operator elsewhere who has been given rights.
func (n *testNode) remote(name string, rights trust.Rights) (*grpc.ClientConn, error) {
	n.t.Helper()
	store := trusttest.Open(n.t, "")
	trusttest.Know(n.t, n.cfg.Trust, trusttest.Party{Name: name, Store: store}, rights)
	c, err := store.Dial(n.t.Context(), n.address, trust.ProtoOperator, n.cfg.Trust.Key())
	if err != nil {
		return nil, err
	}
	n.t.Cleanup(func() { c.Close() })
	conn, err := grpc.NewClient("passthrough:///"+n.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return c, nil }))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	health, err := healthpb.NewHealthClient(conn).Check(n.t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || health.Status != healthpb.HealthCheckResponse_SERVING {
		n.t.Errorf("health %v, %v", health, err)
	}
	return conn, nil
}

// TestRemoteOperator: an operator elsewhere can do what one here can, but decide on trust.
func TestRemoteOperator(t *testing.T) {
	n := startNode(t, "server", isa.X86_64)
	conn, err := n.remote("laptop", trust.Operate)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*grpc.ClientConn{"remote": conn, "Unix socket": n.conn} {
		stream, err := reflectionpb.NewServerReflectionClient(c).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
		}); err != nil {
			t.Fatal(err)
		}
		if answer, err := stream.Recv(); err != nil || len(answer.GetListServicesResponse().GetService()) < 2 {
			t.Errorf("%s: reflection %v, %v", name, answer, err)
		}
		if _, err := pb.NewNodeClient(c).List(t.Context(), &pb.ListRequest{}); err != nil {
			t.Errorf("%s: list: %v", name, err)
		}
		if _, err := pb.NewPeerClient(c).Status(t.Context(), &pb.StatusRequest{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: a peer's request without a link: %v", name, err)
		}
	}
	for _, err := range []error{
		second(pb.NewTrustClient(conn).ListTrust(t.Context(), &pb.ListTrustRequest{})),
		second(pb.NewTrustClient(conn).IssueToken(t.Context(), &pb.IssueTokenRequest{Name: "friend"})),
		second(pb.NewTrustClient(conn).RevokePeer(t.Context(), &pb.RevokePeerRequest{Name: "laptop"})),
	} {
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("a decision on trust from elsewhere: %v", err)
		}
	}
	if _, err := n.remote("peer", trust.Node); err == nil || !strings.Contains(err.Error(), "refuses this identity") {
		t.Errorf("who may not operate: %v", err)
	}

	// A call that is under way ends with the rights of who made it.
	vm := n.run("job", "idle")
	wait := make(chan error, 1)
	go func() { wait <- second(pb.NewNodeClient(conn).Wait(t.Context(), &pb.VMRequest{Vm: vm.Id})) }()
	if _, err := pb.NewTrustClient(n.conn).RevokePeer(t.Context(), &pb.RevokePeerRequest{Name: "laptop"}); err != nil {
		t.Fatal(err)
	}
	if err := <-wait; status.Code(err) != codes.Unavailable {
		t.Errorf("a call of who was revoked: %v", err)
	}
}

// tryAttach begins an Attach with what to run, nil for the stream's end, and returns what comes in
// place of a program.
func (n *testNode) tryAttach(parts []*pb.RunRequest) error {
	n.t.Helper()
	stream, err := n.client.Attach(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, part := range parts {
		if part == nil {
			stream.CloseSend()
		} else if stream.Send(&pb.AttachRequest{Run: part}) != nil {
			break // the answer says why
		}
	}
	_, err = stream.Recv()
	return err
}

// TestRunRefuses: a request to run that makes no sense is not run in part.
func TestRunRefuses(t *testing.T) {
	n := startNode(t, "server", isa.X86_64)
	digest := n.importImage().Digest
	spec := func() *pb.RunRequest {
		return &pb.RunRequest{Part: &pb.RunRequest_Spec{Spec: &pb.RunSpec{Image: digest, Memory: 1 << 20, Args: []string{"idle"}}}}
	}
	file := func(path string, size uint64) *pb.RunRequest {
		return &pb.RunRequest{Part: &pb.RunRequest_File{File: &pb.FileHeader{Path: path, Size: size}}}
	}
	data := func(n int) *pb.RunRequest {
		return &pb.RunRequest{Part: &pb.RunRequest_Data{Data: make([]byte, n)}}
	}
	env := spec()
	env.GetSpec().Env = []string{"NOVALUE"}
	zero := spec()
	zero.GetSpec().Args = []string{"a\x00b"}
	for name, parts := range map[string][]*pb.RunRequest{
		"nothing":         nil,
		"two specs":       {spec(), spec()},
		"relative path":   {spec(), file("x", 0)},
		"unclean path":    {spec(), file("/a/../b", 0)},
		"the root":        {spec(), file("/", 0)},
		"file too large":  {spec(), file("/x", 1<<62)},
		"files too large": {spec(), file("/x", 0), file("/y", maxFiles), file("/z", maxFiles)},
		"file cut off":    {spec(), file("/x", 10), data(9)},
		"too much data":   {spec(), file("/x", 10), data(11)},
		"data of no file": {spec(), data(1)},
		"no data of none": {spec(), data(0)},
		"environment":     {env},
		"zero byte":       {zero},
	} {
		stream, err := n.client.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if stream.Send(part) != nil {
				break // the answer says why
			}
		}
		if _, err := stream.CloseAndRecv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
		if err := n.tryAttach(append(parts, &pb.RunRequest{})); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s, to be attached to: %v", name, err)
		}
	}
	if err := n.tryAttach([]*pb.RunRequest{spec(), nil}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("cut off: %v", err)
	}
	other := spec()
	other.GetSpec().Executables = []string{"sha256:" + strings.Repeat("0", 64)}
	if err := n.tryAttach([]*pb.RunRequest{other, {}}); status.Code(err) != codes.NotFound {
		t.Errorf("an executable that is not in the store: %v", err)
	}
	if len(n.list(true)) != 0 {
		t.Error("something runs")
	}
}
