package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A trustServer serves an operator at this machine, who decides who else may do what.
type trustServer struct {
	pb.UnimplementedTrustServer
	node *Node
}

func (s *trustServer) IssueToken(ctx context.Context, req *pb.IssueTokenRequest) (*pb.IssueTokenResponse, error) {
	n := s.node
	if err := mayDecide(ctx); err != nil {
		return nil, err
	}
	rights, err := rightsOf(req.Rights)
	if err != nil {
		return nil, err
	}
	ttl := trust.DefaultTTL
	if req.Ttl != nil {
		ttl = req.Ttl.AsDuration()
	}
	listen, err := n.hub.Listen()
	if errors.Is(err, link.ErrNoListener) {
		return nil, status.Errorf(codes.FailedPrecondition, "%v: make the token on the other side", err)
	}
	if err != nil {
		return nil, err
	}
	addresses := req.Addresses
	if len(addresses) == 0 {
		addresses, err = reachable(listen)
	}
	var token *trust.Token
	if err == nil {
		token, err = n.cfg.Trust.Issue(n.cfg.Name, req.Name, rights, ttl, addresses)
	}
	if err != nil {
		return nil, errors.Join(status.Error(codes.FailedPrecondition, err.Error()), n.hub.Listening())
	}
	n.happened(&pb.Event{
		Kind: pb.EventKind_EVENT_KIND_TRUST_TOKEN, Peer: req.Name, Rights: rights.Names(), By: asker(ctx),
		Reason: fmt.Sprintf("%v, until %s", token, token.Expires.Format(time.RFC3339)),
	})
	return &pb.IssueTokenResponse{Token: token.Text(), Expires: timestamppb.New(token.Expires), Addresses: addresses}, nil
}

// reachable are the addresses at which others may find a listener, as far as this machine
// can tell.
func reachable(listen net.Addr) ([]string, error) {
	host, port, err := net.SplitHostPort(listen.String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); !ip.IsUnspecified() {
		return []string{listen.String()}, nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, a := range all {
		ip, ok := a.(*net.IPNet)
		if ok && ip.IP.IsGlobalUnicast() && len(found) < 4 {
			found = append(found, net.JoinHostPort(ip.IP.String(), port))
		}
	}
	if len(found) == 0 {
		return nil, errors.New("this machine has no address that others could reach: give one with --address")
	}
	return found, nil
}

func (s *trustServer) JoinWithToken(ctx context.Context, req *pb.JoinWithTokenRequest) (*pb.TrustedPeer, error) {
	n := s.node
	if err := mayDecide(ctx); err != nil {
		return nil, err
	}
	allow, err := rightsOf(req.Rights)
	if err != nil {
		return nil, err
	}
	token, err := trust.ParseToken(req.Token)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	p, err := n.cfg.Trust.Join(ctx, token, n.cfg.Name, allow, req.Addresses)
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	n.enrolled(p, "", asker(ctx))
	return n.trusted(p), nil
}

// enrolled tells of a peer that was not known before, or came with another identity.
func (n *Node) enrolled(p trust.Peer, address, by string) {
	n.happened(&pb.Event{
		Kind: pb.EventKind_EVENT_KIND_TRUST_ENROLLED, Peer: p.Name, Rights: p.Rights.Names(), Address: address, By: by,
		Reason: p.Key.String(),
	})
}

func (s *trustServer) ListTrust(context.Context, *pb.ListTrustRequest) (*pb.ListTrustResponse, error) {
	n := s.node
	answer := &pb.ListTrustResponse{Key: n.cfg.Trust.Key().String()}
	for _, p := range n.cfg.Trust.Peers() {
		answer.Peers = append(answer.Peers, n.trusted(p))
	}
	for _, t := range n.cfg.Trust.Pending() {
		answer.Tokens = append(answer.Tokens, &pb.PendingToken{Name: t.Name, Rights: t.Rights.Names(), Expires: timestamppb.New(t.Expires)})
	}
	return answer, nil
}

func (s *trustServer) AllowPeer(ctx context.Context, req *pb.AllowPeerRequest) (*pb.TrustedPeer, error) {
	n := s.node
	if err := mayDecide(ctx); err != nil {
		return nil, err
	}
	rights, err := trust.ParseRights(req.Rights)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := n.cfg.Trust.Allow(req.Name, rights); err != nil {
		return nil, trustError(err)
	}
	n.hub.Enforce()
	n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_TRUST_ALLOWED, Peer: req.Name, Rights: rights.Names(), By: asker(ctx)})
	p, err := n.cfg.Trust.Peer(req.Name)
	if err != nil {
		return nil, trustError(err)
	}
	return n.trusted(p), nil
}

func (s *trustServer) RevokePeer(ctx context.Context, req *pb.RevokePeerRequest) (*pb.RevokePeerResponse, error) {
	n := s.node
	if err := mayDecide(ctx); err != nil {
		return nil, err
	}
	if err := n.cfg.Trust.Revoke(req.Name); err != nil {
		return nil, trustError(err)
	}
	n.hub.Enforce() // before the answer: it has no connection any more when the operator reads it
	n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_TRUST_REVOKED, Peer: req.Name, By: asker(ctx)})
	return &pb.RevokePeerResponse{}, nil
}

func trustError(err error) error {
	if errors.Is(err, trust.ErrUnknown) {
		return status.Errorf(codes.NotFound, "%v: `migratectl trust list` lists those who are", err)
	}
	return err
}

func rightsOf(names []string) (trust.Rights, error) {
	if len(names) == 0 {
		return trust.Node, nil
	}
	r, err := trust.ParseRights(names)
	if err != nil {
		return 0, status.Error(codes.InvalidArgument, err.Error())
	}
	return r, nil
}

// trusted is a peer as operators see it.
func (n *Node) trusted(p trust.Peer) *pb.TrustedPeer {
	t := &pb.TrustedPeer{
		Name: p.Name, Key: p.Key.String(), Rights: p.Rights.Names(), Addresses: p.Addresses,
		Enrolled: timestamppb.New(p.Enrolled), Connected: n.hub.Connected(p.Key),
	}
	if p.Revoked != nil {
		t.Revoked = timestamppb.New(*p.Revoked)
	}
	return t
}
