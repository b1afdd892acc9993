package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/images"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/rpcerror"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// Servers are the gRPC servers of a node. Operators is for its Unix socket, Remote for
// operators elsewhere, Peers for the links. The first two answer health checks and reflection
// too.
type Servers struct {
	Operators, Remote, Peers *grpc.Server
}

// maxCalls bounds the calls that are under way on one connection.
const maxCalls = 256

// NewServers makes the servers. What Trust decides is decided at this machine alone.
func (n *Node) NewServers() *Servers {
	options := func(check func(context.Context, string) error) []grpc.ServerOption {
		return []grpc.ServerOption{
			grpc.MaxConcurrentStreams(maxCalls),
			grpc.ConnectionTimeout(n.hub.Timeout()), // for HTTP/2's preface
			grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
				if err := check(ctx, info.FullMethod); err != nil {
					return nil, err
				}
				answer, err := h(ctx, req)
				return answer, toStatus(err)
			}),
			grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) error {
				if err := check(ss.Context(), info.FullMethod); err != nil {
					return err
				}
				return toStatus(h(srv, ss))
			}),
		}
	}
	all := func(context.Context, string) error { return nil }
	s := &Servers{
		Operators: grpc.NewServer(options(all)...),
		Remote:    grpc.NewServer(options(all)...),
		Peers:     grpc.NewServer(append(options(checkRight), grpc.MaxRecvMsgSize(link.MaxMessage))...),
	}
	pb.RegisterTrustServer(s.Operators, &trustServer{node: n})
	pb.RegisterPeerServer(s.Peers, &peerServer{node: n})
	for _, server := range []*grpc.Server{s.Operators, s.Remote} {
		pb.RegisterNodeServer(server, &operatorServer{node: n})
		healthpb.RegisterHealthServer(server, health.NewServer())
		reflection.Register(server)
	}
	return s
}

// Stop ends all servers and the calls that are under way.
func (s *Servers) Stop() {
	s.Operators.Stop()
	s.Remote.Stop()
	s.Peers.Stop()
}

// toStatus gives an error the code that callers decide on, and keeps its words.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	if st, ok := rpcerror.Find(err); ok {
		return st.Err()
	}
	code := codes.Unknown
	switch {
	case errors.Is(err, images.ErrUnknown), errors.Is(err, link.ErrUnknownPeer):
		code = codes.NotFound
	case errors.Is(err, link.ErrNotConnected), errors.Is(err, errShutdown):
		code = codes.Unavailable
	case errors.Is(err, vmm.ErrExited):
		code = codes.FailedPrecondition
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	return status.Error(code, err.Error())
}

// peerError says what to do about a node that cannot be reached.
func peerError(err error) error {
	if errors.Is(err, link.ErrUnknownPeer) {
		return status.Errorf(codes.NotFound, "%v: `migratectl nodes` lists those that this one knows", err)
	}
	return err
}

// caller is the link that a peer's request came by.
func caller(ctx context.Context) (*link.Link, error) {
	p, ok := peer.FromContext(ctx)
	if ok {
		if addr, ok := p.Addr.(link.Addr); ok {
			return addr.Link, nil
		}
	}
	return nil, status.Error(codes.Internal, "the request did not come by a link")
}

// callerIsHome refuses requests that are for a VM's home alone to make.
func callerIsHome(ctx context.Context, vm *VM) error {
	l, err := caller(ctx)
	if err != nil {
		return err
	}
	if rec := vm.view(); rec.Home != l.Name() {
		return status.Errorf(codes.PermissionDenied, "%s is not the home of %s", l.Name(), rec.Name)
	}
	return nil
}

// callerIsHost refuses requests that are for a VM's host alone to make.
func callerIsHost(ctx context.Context, vm *VM) error {
	l, err := caller(ctx)
	if err != nil {
		return err
	}
	rec := vm.view()
	for _, stay := range rec.Stays {
		if stay.Node == l.Name() {
			return nil
		}
	}
	return status.Errorf(codes.PermissionDenied, "%s is not on %s", rec.Name, l.Name())
}

// relay passes a peer's stream on.
func relay[T any](from interface{ Recv() (*T, error) }, send func(*T) error) error {
	for {
		m, err := from.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := send(m); err != nil {
			return fmt.Errorf("pass on: %w", err)
		}
	}
}
