package node

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// methodRights says of each method of the service Peer which right it takes, one of several
// where there are several. Beyond that, the methods themselves let only those ask for a VM
// whose affair it is.
var methodRights = map[string]trust.Rights{
	pb.Peer_Status_FullMethodName: trust.Node,
	pb.Peer_Ping_FullMethodName:   trust.Node,

	// By a source, and by a VM's home about what it has sent here.
	pb.Peer_Prepare_FullMethodName:        trust.Send,
	pb.Peer_Ready_FullMethodName:          trust.Send,
	pb.Peer_Start_FullMethodName:          trust.Send,
	pb.Peer_Abort_FullMethodName:          trust.Send,
	pb.Peer_Follow_FullMethodName:         trust.Send,
	pb.Peer_Release_FullMethodName:        trust.Send,
	pb.Peer_Unkeep_FullMethodName:         trust.Send,
	pb.Peer_Input_FullMethodName:          trust.Send,
	pb.Peer_ForwardOffload_FullMethodName: trust.Send,
	pb.Peer_ForwardStop_FullMethodName:    trust.Send,

	// By a target, and by a host about what this home has sent there.
	pb.Peer_Resolve_FullMethodName:     trust.Receive,
	pb.Peer_FetchImage_FullMethodName:  trust.Receive,
	pb.Peer_Arrived_FullMethodName:     trust.Receive,
	pb.Peer_ForwardLogs_FullMethodName: trust.Receive,
	pb.Peer_ForwardWait_FullMethodName: trust.Receive,
}

// checkRight lets a peer's request pass if the peer has the right to it now. A method that
// has no entry is nobody's.
func checkRight(ctx context.Context, method string) error {
	l, err := caller(ctx)
	if err != nil {
		return err
	}
	right, ok := methodRights[method]
	if !ok {
		return status.Errorf(codes.PermissionDenied, "no right is known that allows %s", method)
	}
	return denied(l, right)
}

// denied says whether a peer lacks a right, one of several where there are several.
func denied(l *link.Link, right trust.Rights) error {
	if err := l.Allows(right); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}
