package move

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/migrated/migrated/node/link"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// CheckCompression refuses what an operator cannot ask for.
func CheckCompression(c pb.Compression) error {
	if _, ok := pb.Compression_name[int32(c)]; !ok {
		return fmt.Errorf("no such compression: %v", c)
	}
	return nil
}

// outgoing opens a move's streams at the source. It implements vmproc.Streams.
type outgoing struct {
	link  *link.Link
	token link.Token
}

func (o *outgoing) Open(_ context.Context, number uint8) (net.Conn, error) {
	return o.link.OpenData(o.token, number)
}

// incoming waits for them at the target. It implements vmproc.Streams.
type incoming struct{ expected *link.Expected }

func (i *incoming) Open(ctx context.Context, number uint8) (net.Conn, error) {
	return i.expected.Wait(ctx, number)
}

var errNoMemory = errors.New("the VM's process does not say what it received")
