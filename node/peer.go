package node

import (
	"bufio"
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A peerServer serves other nodes, over links.
type peerServer struct {
	pb.UnimplementedPeerServer
	node *Node
}

func (s *peerServer) Status(context.Context, *pb.StatusRequest) (*pb.NodeInfo, error) {
	return s.node.status()
}

func (s *peerServer) Ping(context.Context, *pb.PingRequest) (*pb.PingResponse, error) {
	return &pb.PingResponse{}, nil
}

func (s *peerServer) Prepare(ctx context.Context, req *pb.PrepareRequest) (*pb.PrepareResponse, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	return s.node.prepare(ctx, from, req)
}

func (s *peerServer) FetchImage(req *pb.FetchImageRequest, stream pb.Peer_FetchImageServer) error {
	w := bufio.NewWriterSize(sendWriter(func(p []byte) error {
		return stream.Send(&pb.FetchImageResponse{Data: p})
	}), 256<<10)
	if err := s.node.images.Export(w, image.Digest(req.Digest), req.Isa, req.Level); err != nil {
		return err
	}
	return w.Flush()
}

// A sendWriter writes to a stream.
type sendWriter func([]byte) error

func (send sendWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), 1<<20) // well below the most that gRPC takes in a message
		if err := send(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// target finds the move to here that a source speaks of.
func (s *peerServer) target(ctx context.Context, token []byte) (*move.Target, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	t, err := link.ParseToken(token)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	if target := s.node.targets[t]; target != nil && target.From.Peer().Id == from.Peer().Id {
		return target, nil
	}
	return nil, status.Errorf(codes.NotFound, "%s knows nothing of this move", s.node.cfg.Name)
}

func (s *peerServer) Ready(ctx context.Context, req *pb.ReadyRequest) (*pb.ReadyResponse, error) {
	t, err := s.target(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	return t.Ready(ctx, req)
}

func (s *peerServer) Start(ctx context.Context, req *pb.StartRequest) (*pb.StartResponse, error) {
	t, err := s.target(ctx, req.Token)
	if err == nil {
		return t.Start(req), nil
	}
	if status.Code(err) != codes.NotFound {
		return nil, err
	}
	// The move is over here, or was before a restart: the journal knows how it ended.
	h, err := s.node.store.Handover(req.Token)
	if err != nil {
		return nil, err
	}
	if h.GetState() == pb.HandoverState_HANDOVER_STATE_OWNER {
		lacks := s.node.lacks(h)
		if lacks && req.Lost {
			if err := s.node.lose(ctx, h); err != nil {
				return nil, err
			}
		}
		return &pb.StartResponse{Started: true, Repeated: true, Lacks: lacks}, nil
	}
	return &pb.StartResponse{Reason: s.node.cfg.Name + " knows nothing of this move: it restarted, or gave the move up"}, nil
}

func (s *peerServer) Abort(ctx context.Context, req *pb.AbortRequest) (*pb.AbortResponse, error) {
	t, err := s.target(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	return &pb.AbortResponse{Reason: t.Abort(req.Reason)}, nil
}

func (s *peerServer) Resolve(ctx context.Context, req *pb.ResolveRequest) (*pb.ResolveResponse, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	token, err := link.ParseToken(req.Token)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	n := s.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if v := n.sources[token]; v != nil && v.to == from.Name() {
		if v.committed {
			return committedSince(v.leftAt), nil
		}
		return &pb.ResolveResponse{Verdict: pb.Verdict_VERDICT_UNDECIDED}, nil
	}
	h, err := n.store.Handover(req.Token)
	if err != nil {
		return nil, err
	}
	if h.GetState() == pb.HandoverState_HANDOVER_STATE_COMMITTED {
		return committedSince(h.Time.AsTime()), nil
	}
	return &pb.ResolveResponse{Verdict: pb.Verdict_VERDICT_ABORTED}, nil
}

func committedSince(leftAt time.Time) *pb.ResolveResponse {
	return &pb.ResolveResponse{
		Verdict:   pb.Verdict_VERDICT_COMMITTED,
		SinceLeft: durationpb.New(time.Since(leftAt)),
	}
}

func (s *peerServer) Follow(req *pb.FollowRequest, stream pb.Peer_FollowServer) error {
	vm, err := s.forHome(stream.Context(), req.Vm)
	if err != nil {
		return err
	}
	return vm.tell(req, stream)
}

func (s *peerServer) Release(ctx context.Context, req *pb.ReleaseRequest) (*pb.ReleaseResponse, error) {
	vm, err := s.forHome(ctx, req.Vm)
	if err != nil {
		return nil, err
	}
	rec := vm.view()
	if rec.Generation == req.Generation && !over(rec.State) {
		return nil, status.Errorf(codes.FailedPrecondition, "the VM is still on %s", s.node.cfg.Name)
	}
	if err := vm.log.Drop(req.Generation); err != nil {
		return nil, err
	}
	return &pb.ReleaseResponse{}, s.node.tidy(vm)
}

func (s *peerServer) Input(stream pb.Peer_InputServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	vm, err := s.forHome(stream.Context(), first.Vm)
	if err != nil {
		return err
	}
	return vm.takeInput(first.Generation, stream)
}

func (s *peerServer) Arrived(ctx context.Context, req *pb.ArrivedRequest) (*pb.ArrivedResponse, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	vm, err := s.node.byID(req.GetVm().GetId())
	if err != nil {
		return nil, err
	}
	if !vm.home || req.Vm.Node != from.Name() {
		return nil, status.Error(codes.PermissionDenied, "only the new host tells a VM's home that it has arrived")
	}
	return &pb.ArrivedResponse{}, vm.adopt(req.Vm, &pb.Stay{Generation: req.Vm.Generation, Node: from.Name()})
}

func (s *peerServer) ForwardOffload(req *pb.OffloadRequest, stream pb.Peer_ForwardOffloadServer) error {
	vm, err := s.forHome(stream.Context(), req.Vm)
	if err != nil {
		return err
	}
	if vm.here() == nil {
		return errNotHere(vm)
	}
	return vm.offload(stream.Context(), req.To, req.Options, stream.Send)
}

func (s *peerServer) ForwardStop(ctx context.Context, req *pb.StopRequest) (*pb.VM, error) {
	from, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range s.node.incoming() { // a home that gave it up asks until it is gone
		if t.VM.Id == req.Vm && t.VM.Home == from.Name() {
			return nil, status.Error(codes.Unavailable, "the VM is arriving: ask again")
		}
	}
	vm, err := s.forHome(ctx, req.Vm)
	if err != nil {
		return nil, err
	}
	if err := vm.stop(ctx, req.Grace.AsDuration()); err != nil {
		return nil, err
	}
	if rec := vm.view(); !over(rec.State) && vm.here() == nil {
		return nil, errNotHere(vm)
	}
	return vm.view(), nil
}

func (s *peerServer) ForwardLogs(req *pb.LogsRequest, stream pb.Peer_ForwardLogsServer) error {
	vm, err := s.forHost(stream.Context(), req.Vm)
	if err != nil {
		return err
	}
	return vm.sendLog(stream.Context(), req.Offset, req.Follow, stream.Send)
}

func (s *peerServer) ForwardWait(ctx context.Context, req *pb.VMRequest) (*pb.VM, error) {
	vm, err := s.forHost(ctx, req.Vm)
	if err != nil {
		return nil, err
	}
	return vm.await(ctx, ended)
}

// forHome finds a VM for its home.
func (s *peerServer) forHome(ctx context.Context, id string) (*VM, error) {
	vm, err := s.node.byID(id)
	if err != nil {
		return nil, err
	}
	return vm, callerIsHome(ctx, vm)
}

// forHost finds a VM whose home this is for a node where it is or was.
func (s *peerServer) forHost(ctx context.Context, id string) (*VM, error) {
	vm, err := s.node.byID(id)
	if err != nil {
		return nil, err
	}
	if !vm.home {
		return nil, status.Errorf(codes.FailedPrecondition, "%s is not its home", s.node.cfg.Name)
	}
	return vm, callerIsHost(ctx, vm)
}
