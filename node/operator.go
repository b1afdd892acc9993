package node

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/link"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An operatorServer serves migratectl.
type operatorServer struct {
	pb.UnimplementedNodeServer
	node *Node
}

func (s *operatorServer) InspectImage(_ context.Context, req *pb.InspectImageRequest) (*pb.Image, error) {
	m, err := s.node.images.Get(image.Digest(req.Digest))
	if err != nil {
		return nil, err
	}
	return imageToWire(m), nil
}

func (s *operatorServer) ImportImage(stream pb.Node_ImportImageServer) error {
	m, err := s.node.images.Import(&pieces{next: func() ([]byte, error) {
		req, err := stream.Recv()
		return req.GetData(), err
	}})
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	s.node.log.Info("image imported", "digest", m.Digest(), "name", m.Config().Name)
	return stream.SendAndClose(imageToWire(m))
}

func (s *operatorServer) Run(stream pb.Node_RunServer) error {
	spec, files, err := receiveRun(stream.Recv)
	if err != nil {
		return err
	}
	vm, err := s.node.run(spec, files)
	if err != nil {
		return err
	}
	return stream.SendAndClose(vm.view())
}

func (s *operatorServer) List(_ context.Context, req *pb.ListRequest) (*pb.ListResponse, error) {
	return &pb.ListResponse{Vms: s.node.list(req.All)}, nil
}

func (s *operatorServer) Inspect(_ context.Context, req *pb.VMRequest) (*pb.VM, error) {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return nil, err
	}
	return vm.view(), nil
}

func (s *operatorServer) Logs(req *pb.LogsRequest, stream pb.Node_LogsServer) error {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return err
	}
	if vm.home {
		return vm.sendLog(stream.Context(), req.Offset, req.Follow, stream.Send)
	}
	l, err := s.node.hub.Link(vm.view().Home)
	if err != nil {
		return err
	}
	source, err := l.Client().ForwardLogs(stream.Context(), &pb.LogsRequest{Vm: vm.id, Offset: req.Offset, Follow: req.Follow})
	if err != nil {
		return err
	}
	return relay(source, stream.Send)
}

// sendLog sends what home has of a VM's log.
func (vm *VM) sendLog(ctx context.Context, offset int64, follow bool, send func(*pb.LogChunk) error) error {
	for {
		frames, err := vm.log.Read(ctx, offset, follow)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := send(&pb.LogChunk{Offset: offset, Frames: frames}); err != nil {
			return err
		}
		offset += int64(len(frames))
	}
}

func (s *operatorServer) Offload(req *pb.OffloadRequest, stream pb.Node_OffloadServer) error {
	if req.To == "" {
		return status.Error(codes.InvalidArgument, "say where to with --to NODE")
	}
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return err
	}
	return vm.moveTo(stream.Context(), req.To, req.Options, stream.Send)
}

func (s *operatorServer) Recall(req *pb.RecallRequest, stream pb.Node_RecallServer) error {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return err
	}
	rec := vm.view()
	if rec.Node == rec.Home {
		if over(rec.State) {
			return errNotHere(vm)
		}
		return status.Errorf(codes.FailedPrecondition, "%s is at home on %s already", rec.Name, rec.Home)
	}
	return vm.moveTo(stream.Context(), rec.Home, req.Options, stream.Send)
}

// moveTo moves a VM from wherever it is.
func (vm *VM) moveTo(ctx context.Context, to string, opt *pb.MoveOptions, report func(*pb.MoveEvent) error) error {
	rec := vm.view()
	if over(rec.State) {
		return errNotHere(vm)
	}
	if rec.Node == vm.node.cfg.Name {
		return vm.offload(ctx, to, opt, report)
	}
	if !vm.home {
		return status.Errorf(codes.FailedPrecondition, "the VM has left for %s: ask there, or its home %s", rec.Node, rec.Home)
	}
	if to == rec.Node {
		return status.Errorf(codes.FailedPrecondition, "the VM is on %s already", to)
	}
	l, err := vm.node.hub.Link(rec.Node)
	if err != nil {
		return err
	}
	source, err := l.Client().ForwardOffload(ctx, &pb.OffloadRequest{Vm: vm.id, To: to, Options: opt})
	if err != nil {
		return err
	}
	var last *pb.MoveEvent
	err = relay(source, func(event *pb.MoveEvent) error {
		last = proto.CloneOf(event)
		return report(event)
	})
	if err != nil {
		select {
		case <-l.Done():
			return status.Error(codes.Aborted, vm.unheard(rec.Node))
		default:
			return err
		}
	}
	if last.GetPhase() != pb.MovePhase_MOVE_PHASE_DONE {
		return nil
	}
	// What comes next from the same operator must find the VM where it is now.
	_, err = vm.await(ctx, func(now *pb.VM) bool { return now.Generation > rec.Generation || over(now.State) })
	return err
}

func (s *operatorServer) Stop(ctx context.Context, req *pb.StopRequest) (*pb.VM, error) {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return nil, err
	}
	if rec := vm.view(); over(rec.State) {
		return rec, nil
	}
	grace := defaultGrace
	if req.Grace != nil {
		grace = max(0, req.Grace.AsDuration())
	}
	if err := vm.stopAnywhere(ctx, grace); err != nil {
		return nil, err
	}
	return vm.await(ctx, ended)
}

// ended is what Wait and Stop wait for.
func ended(rec *pb.VM) bool { return over(rec.State) }

// defaultGrace is how long a program that is asked to stop may take.
const defaultGrace = 10 * time.Second

// stopAnywhere stops a VM wherever it is.
func (vm *VM) stopAnywhere(ctx context.Context, grace time.Duration) error {
	for {
		if err := vm.stop(ctx, grace); err != nil {
			return err
		}
		rec := vm.view()
		if over(rec.State) || rec.Node == vm.node.cfg.Name {
			return nil
		}
		if !vm.home {
			return errNotHere(vm)
		}
		l, err := vm.node.hub.Link(rec.Node)
		if err != nil {
			return err
		}
		_, err = l.Client().ForwardStop(ctx, &pb.StopRequest{Vm: vm.id, Grace: durationpb.New(grace)})
		if err == nil {
			return nil
		}
		if now := vm.view(); now.Generation == rec.Generation && !over(now.State) {
			return err
		}
		// It moved meanwhile: stop it where it is now.
	}
}

func (s *operatorServer) Wait(ctx context.Context, req *pb.VMRequest) (*pb.VM, error) {
	vm, err := s.node.lookup(req.Vm)
	if err != nil {
		return nil, err
	}
	if vm.home {
		return vm.await(ctx, ended)
	}
	rec := vm.view()
	if over(rec.State) {
		return rec, nil
	}
	l, err := s.node.hub.Link(rec.Home)
	if err != nil {
		return nil, err
	}
	return l.Client().ForwardWait(ctx, &pb.VMRequest{Vm: vm.id})
}

func (s *operatorServer) Nodes(ctx context.Context, _ *pb.NodesRequest) (*pb.NodesResponse, error) {
	self, err := s.node.status()
	if err != nil {
		return nil, err
	}
	self.State = pb.NodeState_NODE_STATE_SELF
	answer := &pb.NodesResponse{Nodes: []*pb.NodeInfo{self}}
	for _, p := range s.node.hub.Status() {
		answer.Nodes = append(answer.Nodes, peerInfo(ctx, p))
	}
	return answer, nil
}

// peerInfo asks a peer how it does.
func peerInfo(ctx context.Context, p link.Status) *pb.NodeInfo {
	info := &pb.NodeInfo{Name: p.Name, Address: p.Address, State: pb.NodeState_NODE_STATE_UNREACHABLE}
	if p.Link == nil {
		info.Note = p.Err.Error()
		return info
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	seen, err := p.Link.Client().Status(ctx, &pb.StatusRequest{})
	if err != nil {
		info.Note = status.Convert(err).Message()
		return info
	}
	seen.Name, seen.Address, seen.State = p.Name, p.Address, pb.NodeState_NODE_STATE_CONNECTED
	if rtt, err := p.Link.RoundTrip(ctx); err == nil {
		seen.RoundTrip = durationpb.New(rtt)
	}
	return seen
}

// statusTimeout is for a peer to say how it does.
const statusTimeout = 3 * time.Second

// status is how this node does.
func (n *Node) status() (*pb.NodeInfo, error) {
	info := n.greeting()
	var err error
	if info.MemoryTotal, info.MemoryFree, err = n.budget.free(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, vm := range n.vms {
		if vm.here() != nil {
			info.Vms++
		}
	}
	return info, nil
}
