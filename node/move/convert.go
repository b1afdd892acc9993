package move

import (
	"fmt"
	"net"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/vmm"
)

// Codec returns what an operator asked for.
func Codec(c pb.Compression) (statexfer.Codec, error) {
	switch c {
	case pb.Compression_COMPRESSION_UNSPECIFIED:
		return statexfer.Auto, nil
	case pb.Compression_COMPRESSION_NONE:
		return statexfer.None, nil
	case pb.Compression_COMPRESSION_S2:
		return statexfer.S2, nil
	case pb.Compression_COMPRESSION_ZSTD:
		return statexfer.Zstd, nil
	}
	return 0, fmt.Errorf("no such compression: %v", c)
}

func memoryStats(s statexfer.Stats) *pb.MemoryStats {
	return &pb.MemoryStats{
		Pages:     s.Pages,
		Zero:      s.Zero,
		Sent:      s.Sent,
		RawBytes:  s.RawBytes,
		WireBytes: s.WireBytes,
		Batches:   s.Batches,
		Rounds:    uint32(s.Rounds),
		Codec:     s.Codec.String(),
		Delta:     s.Delta,
		Same:      s.Same,
		Base:      s.Base,
		Later:     s.Later,
		ByNone:    s.By[statexfer.None],
		ByS2:      s.By[statexfer.S2],
		ByZstd:    s.By[statexfer.Zstd],
	}
}

func leftToWire(l *vmm.Left) *pb.Left {
	return &pb.Left{
		Mono:     l.Mono,
		Wall:     timestamppb.New(l.Wall),
		Threads:  l.Threads,
		Frames:   l.Frames,
		Bytes:    l.Bytes,
		Quiesce:  durationpb.New(l.Quiesce),
		Input:    l.Input,
		InputEof: l.InputEOF,
	}
}

func leftFromWire(l *pb.Left) (*vmm.Left, error) {
	if l == nil {
		return nil, fmt.Errorf("the source does not say how the program left")
	}
	return &vmm.Left{
		Mono:     l.Mono,
		Wall:     l.Wall.AsTime(),
		Threads:  l.Threads,
		Frames:   l.Frames,
		Bytes:    l.Bytes,
		Quiesce:  l.Quiesce.AsDuration(),
		Input:    l.Input,
		InputEOF: l.InputEof,
	}, nil
}

// A stallWriter fails when the other side takes nothing for a while.
type stallWriter struct {
	net.Conn
	stall time.Duration
}

func (w *stallWriter) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.stall)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// A stallReader fails when the other side sends nothing for a while.
type stallReader struct {
	net.Conn
	stall time.Duration
}

func (r *stallReader) Read(p []byte) (int, error) {
	if err := r.SetReadDeadline(time.Now().Add(r.stall)); err != nil {
		return 0, err
	}
	return r.Conn.Read(p)
}
