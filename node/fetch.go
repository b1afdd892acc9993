package node

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/images"
	"github.com/migrated/migrated/node/link"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// haveBuild returns a build, which it fetches where this node lacks it: from the VM's host,
// or from its home, whose image has all builds.
func (n *Node) haveBuild(ctx context.Context, from *link.Link, vm *pb.VM, info image.BuildInfo) (*image.Build, uint64, error) {
	n.fetch.Lock() // once, if several VMs of one image come together
	defer n.fetch.Unlock()
	d := image.Digest(vm.Image)
	build, err := n.images.Build(d, info)
	if !errors.Is(err, images.ErrUnknown) {
		return build, 0, err
	}
	fetched, err := n.fetchImage(ctx, from, d, info)
	if status.Code(err) == codes.NotFound && vm.Home != from.Name() {
		home, linkErr := n.hub.Link(vm.Home)
		if linkErr != nil {
			return nil, 0, linkErr
		}
		fetched, err = n.fetchImage(ctx, home, d, info)
	}
	if err != nil {
		return nil, 0, err
	}
	build, err = n.images.Build(d, info)
	return build, fetched, err
}

// fetchImage puts one build of an image into the store, and returns how many bytes came.
func (n *Node) fetchImage(ctx context.Context, from *link.Link, d image.Digest, info image.BuildInfo) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := from.Client().FetchImage(ctx, &pb.FetchImageRequest{Digest: string(d), Isa: info.ISA, Level: info.Level})
	if err != nil {
		return 0, err
	}
	r := &pieces{next: func() ([]byte, error) {
		piece, err := stream.Recv()
		return piece.GetData(), err
	}}
	limits := n.live.Load().Limits
	have, err := n.images.Size()
	if err != nil {
		return 0, err
	}
	if have >= limits.Images {
		return 0, status.Errorf(codes.ResourceExhausted, "no room for the image: there are %s of images, and from %s on none is taken from a peer (images, in [limits])",
			short(have), short(limits.Images))
	}
	r.limit = min(limits.Image, limits.Images-have)
	if err := n.images.ImportOnly(d, r); err != nil {
		code := status.Code(err)
		if errors.Is(err, errTooLarge) {
			code = codes.ResourceExhausted
		}
		return 0, status.Errorf(code, "fetch the image from %s: %s", from.Name(), status.Convert(err).Message())
	}
	return r.count, nil
}

// pieces reads what comes in pieces.
type pieces struct {
	next  func() ([]byte, error)
	rest  []byte
	count uint64 // bytes that came
	limit uint64 // of them; 0: none
}

var errTooLarge = errors.New("it is larger than a peer's image may be (image and images, in [limits])")

func (r *pieces) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		piece, err := r.next()
		if err != nil {
			return 0, err
		}
		r.rest = piece
		r.count += uint64(len(piece))
		if r.limit > 0 && r.count > r.limit {
			return 0, errTooLarge
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

var _ io.Reader = (*pieces)(nil)
