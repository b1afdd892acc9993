package node

import (
	"context"
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
	pb "github.com/migrated/migrated/proto/migrated/v1"
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
		Token: make([]byte, 16), Config: m.ConfigBlob(),
		Vm: &pb.VM{
			Id: strings.Repeat("a", 32), Name: "job", Home: "server", Node: "server", Image: digest, Memory: 1 << 20,
			Generation: 1, Stays: []*pb.Stay{{Node: "server", LogEnd: -1}},
		},
	}
	otherABI := []byte(strings.Replace(string(m.ConfigBlob()), `"abi":1`, `"abi":99`, 1))
	otherLayout := []byte(strings.Replace(string(m.ConfigBlob()), string(m.Config().LayoutHash), "sha256:"+strings.Repeat("1", 64), 1))
	for _, test := range []struct {
		name   string
		change func(*pb.PrepareRequest)
		code   codes.Code
		want   string
	}{
		{"token", func(r *pb.PrepareRequest) { r.Token = []byte("short") }, codes.InvalidArgument, "not a valid request"},
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

// TestPublicServices: whoever connects by TCP gets health checks and reflection, and no more.
func TestPublicServices(t *testing.T) {
	n := startNode(t, "server", isa.X86_64)
	conn, err := grpc.NewClient("passthrough:///"+n.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for name, c := range map[string]*grpc.ClientConn{"TCP": conn, "Unix socket": n.conn} {
		health, err := healthpb.NewHealthClient(c).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil || health.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%s: health %v, %v", name, health, err)
		}
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
	}
	if _, err := pb.NewNodeClient(conn).List(t.Context(), &pb.ListRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("an operator's request by TCP: %v", err)
	}
	if _, err := pb.NewPeerClient(conn).Status(t.Context(), &pb.StatusRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("a peer's request without a link: %v", err)
	}
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
	}
	if len(n.list(true)) != 0 {
		t.Error("something runs")
	}
}
