package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/images"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm/hostabi"
)

// checkpointPiece is how much of a memory stream goes into one message, bytes.
const checkpointPiece = 256 << 10

// maxCheckpoints bounds how many memory streams a restore may take.
const maxCheckpoints = 1000

// oneStream gives a VM's process the caller of an RPC as the other side of a move. It
// implements vmproc.Streams.
type oneStream struct {
	mu   sync.Mutex
	conn net.Conn // nil when it was taken
}

func (s *oneStream) Open(context.Context, uint8) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conn
	if c == nil {
		return nil, errors.New("a checkpoint has one stream")
	}
	s.conn = nil
	return c, nil
}

// Checkpoint joins the caller to a VM's process while that sends the VM's memory. The VM goes on.
func (s *operatorServer) Checkpoint(stream pb.Node_CheckpointServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	vm, err := s.node.lookup(first.Vm)
	if err != nil {
		return err
	}
	if err := move.CheckOptions(first.Options); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if vmproc.NeedsBoth(first.Options.GetKind()) {
		return status.Error(codes.InvalidArgument, "a file cannot be asked for a page: a checkpoint is not taken by post-copy or hybrid")
	}
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	guest, done, err := vm.beginCheckpoint(stream.Context(), cancel)
	if err != nil {
		return err
	}
	defer done()
	rec := vm.view()
	if err := stream.Send(&pb.CheckpointResponse{Pages: rec.Memory / hostabi.PageSize}); err != nil {
		return err
	}
	joined := joinCaller(cancel,
		func() ([]byte, error) { m, err := stream.Recv(); return m.GetData(), err },
		func(p []byte) error { return stream.Send(&pb.CheckpointResponse{Data: p}) })
	defer joined.ours.Close()
	timeouts := s.node.live.Load().Timeouts
	sent, err := guest.Send(ctx, joined.streams(), &pb.SendOptions{
		Options:        first.Options,
		QuiesceTimeout: durationpb.New(timeouts.Quiesce),
		StallTimeout:   durationpb.New(timeouts.Stall),
		Hashes:         true,
	}, nil)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := guest.Continue(); err != nil {
		return fmt.Errorf("go on after a checkpoint: %w", err)
	}
	joined.copied.Wait() // the process has closed its end
	account, err := proto.Marshal(&pb.CheckpointAccount{
		Image: rec.Image, ImageName: rec.ImageName, Name: rec.Name, Isa: rec.Isa, Memory: rec.Memory, Args: rec.Args,
		Left: sent.Left, Time: timestamppb.Now(),
	})
	if err != nil {
		return err
	}
	return stream.Send(&pb.CheckpointResponse{Account: account})
}

// A joinedCaller is the caller of an RPC joined to a VM's process: what the one sends, the
// other reads.
type joinedCaller struct {
	ours, theirs net.Conn
	copied       sync.WaitGroup // until all that the process wrote has been sent
}

// joinCaller begins to copy. cancel is called when the caller goes away or takes nothing.
func joinCaller(cancel context.CancelCauseFunc, recv func() ([]byte, error), send func([]byte) error) *joinedCaller {
	c := new(joinedCaller)
	c.ours, c.theirs = net.Pipe()
	c.copied.Go(func() {
		if err := sendPieces(c.ours, send); err != nil {
			cancel(err)
		}
	})
	go func() {
		for {
			p, err := recv()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					cancel(errors.New("whoever asked for it is gone"))
				}
				return
			}
			if _, err := c.ours.Write(p); err != nil {
				return
			}
		}
	}()
	return c
}

// streams is what the process gets of it.
func (c *joinedCaller) streams() vmproc.Streams { return &oneStream{conn: c.theirs} }

// sendPieces passes on what can be read until the other end is closed.
func sendPieces(r io.Reader, send func([]byte) error) error {
	buf := make([]byte, checkpointPiece)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := send(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil { // its end, or ours was closed
			return nil
		}
	}
}

// beginCheckpoint keeps moves away from a VM until done is called.
func (vm *VM) beginCheckpoint(asked context.Context, cancel context.CancelCauseFunc) (guest vmproc.VM, done func(), err error) {
	vm.awaitOff(asked)
	vm.mu.Lock()
	defer vm.mu.Unlock()
	switch {
	case vm.out != nil:
		return nil, nil, vm.out.busy()
	case vm.guest == nil || vm.rec.State != pb.VMState_VM_STATE_RUNNING:
		return nil, nil, notHere(vm.rec, vm.node.cfg.Name)
	}
	if err := dependsOn(vm.rec); err != nil {
		return nil, nil, err
	}
	out := &outgoing{asked: asked, cancel: cancel, done: make(chan struct{}), more: make(chan struct{}, 1)}
	vm.out = out
	return vm.guest, func() {
		vm.mu.Lock()
		vm.out = nil
		vm.mu.Unlock()
		close(out.done)
	}, nil
}

// Restore makes a VM of memory streams that the caller reads from files.
func (s *operatorServer) Restore(stream pb.Node_RestoreServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	account := new(pb.CheckpointAccount)
	if err := proto.Unmarshal(first.Account, account); err != nil {
		return status.Errorf(codes.InvalidArgument, "the checkpoint's account of the VM: %v", err)
	}
	vm, err := s.node.restore(stream, first, account)
	if err != nil {
		return err
	}
	return stream.Send(&pb.RestoreResponse{Vm: vm})
}

// restore is Restore, with what the first message says.
func (n *Node) restore(stream pb.Node_RestoreServer, first *pb.RestoreRequest, account *pb.CheckpointAccount) (*pb.VM, error) {
	if first.Files < 1 || first.Files > maxCheckpoints || account.Memory == 0 || account.Memory%hostabi.PageSize != 0 {
		return nil, status.Error(codes.InvalidArgument, "not a valid checkpoint")
	}
	left := account.Left
	if _, err := vmproc.LeftFromWire(left); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	cfg, config, build, err := n.load(image.Digest(account.Image), nil)
	if status.Code(err) == codes.NotFound {
		err = status.Errorf(codes.NotFound, "its image %s (%s) is %v: give its file with --image", account.ImageName, account.Image, images.ErrUnknown)
	}
	if err != nil {
		return nil, err
	}
	r := &reservation{image: account.Image, imageName: cfg.Name, name: first.Name, memory: account.Memory, args: account.Args, build: build}
	if err := n.reserveNew(r); err != nil {
		return nil, err
	}
	defer r.releaseName()
	vm := r.vm
	guest, err := n.makeGuest(vm, config, build, account.Memory, 0, func(s *vmproc.Spec) { s.Resume = true })
	if err != nil {
		r.grant.release()
		return nil, errors.Join(err, vm.log.Remove())
	}
	if err := n.receiveCheckpoint(stream, guest, first); err != nil {
		r.grant.release()
		return nil, errors.Join(err, guest.Close(), vm.log.Remove())
	}
	if !first.Input {
		vm.input.CloseWrite()
	}
	// While it lay in the file the program's clock stood still.
	left.Wall = timestamppb.New(time.Now())
	if err := n.launch(vm, guest, r.grant, left); err != nil {
		return nil, err
	}
	return vm.view(), nil
}

// receiveCheckpoint fills a guest's memory with what the caller sends.
func (n *Node) receiveCheckpoint(stream pb.Node_RestoreServer, guest vmproc.VM, first *pb.RestoreRequest) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	joined := joinCaller(cancel,
		func() ([]byte, error) { m, err := stream.Recv(); return m.GetData(), err },
		func(p []byte) error { return stream.Send(&pb.RestoreResponse{Data: p}) })
	defer joined.ours.Close()
	stall := durationpb.New(n.live.Load().Timeouts.Stall)
	received, err := guest.Receive(ctx, joined.streams(), &pb.ReceiveOptions{
		StallTimeout: stall, FirstTimeout: stall, Parts: first.Files,
	}, nil)
	if err != nil {
		joined.ours.Close()
	}
	joined.copied.Wait() // what the process had to say is with the caller; it has closed its end
	switch {
	case errors.Is(err, vmproc.ErrStalled), errors.Is(err, vmproc.ErrClosed), errors.Is(err, vmproc.ErrGone), ctx.Err() != nil:
		return err
	case err != nil: // the process has an error without a name for what is wrong with the stream
		return status.Errorf(codes.DataLoss, "it is not what was written: %v", err)
	case !bytes.Equal(received.GetDigest(), first.Digest):
		return status.Error(codes.DataLoss, "memory is not what the checkpoint was made of")
	}
	return nil
}
