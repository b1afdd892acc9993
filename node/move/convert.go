package move

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// CheckOptions refuses what an operator cannot ask for.
func CheckOptions(o *pb.MoveOptions) error {
	if _, ok := pb.Compression_name[int32(o.GetCompress())]; !ok {
		return fmt.Errorf("no such compression: %v", o.GetCompress())
	}
	if _, ok := pb.MoveKind_name[int32(o.GetKind())]; !ok {
		return fmt.Errorf("no such way to move: %v", o.GetKind())
	}
	if o.GetSafe() && vmproc.NeedsBoth(o.GetKind()) {
		return errors.New("a safe move is one after which the VM never needs both nodes: post-copy and hybrid are not")
	}
	if o.GetMaxDowntime().AsDuration() < 0 || o.GetDeadline().AsDuration() < 0 {
		return errors.New("a time must not be negative")
	}
	return nil
}

// outgoing opens a move's streams at the source. It implements vmproc.Streams.
type outgoing struct {
	link  *link.Link
	token link.Token
}

func (o *outgoing) Open(ctx context.Context, number uint8) (net.Conn, error) {
	return o.link.OpenData(ctx, o.token, number)
}

// incoming waits for them at the target. It implements vmproc.Streams.
type incoming struct{ expected *link.Expected }

func (i *incoming) Open(ctx context.Context, number uint8) (net.Conn, error) {
	return i.expected.Wait(ctx, number)
}

// Incoming are the streams that come to a target.
func Incoming(e *link.Expected) vmproc.Streams { return &incoming{e} }

var errNoMemory = errors.New("the VM's process does not say what it received")
