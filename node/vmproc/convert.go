package vmproc

import (
	"errors"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/isa"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/vmm"
)

// MemoryStats is a transfer's account as records have it.
func MemoryStats(s statexfer.Stats) *pb.MemoryStats {
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

// codecs are what an operator can ask for.
var codecs = map[pb.Compression]statexfer.Codec{
	pb.Compression_COMPRESSION_UNSPECIFIED: statexfer.Auto,
	pb.Compression_COMPRESSION_NONE:        statexfer.None,
	pb.Compression_COMPRESSION_S2:          statexfer.S2,
	pb.Compression_COMPRESSION_ZSTD:        statexfer.Zstd,
}

// LeftToWire is how a guest left its processor, as nodes tell each other.
func LeftToWire(l *vmm.Left) *pb.Left {
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

// CheckAtRest says what is wrong with a peer's account of a guest that has left.
func CheckAtRest(a *pb.AtRest) error {
	if _, err := LeftFromWire(a.GetLeft()); err != nil {
		return err
	}
	if a.LogEnd < 0 || a.InputAccepted < 0 {
		return errors.New("offsets of log and input must not be negative")
	}
	return nil
}

// LeftFromWire is the inverse of LeftToWire.
func LeftFromWire(l *pb.Left) (*vmm.Left, error) {
	if l == nil {
		return nil, errors.New("nothing says how the program left")
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

func exitToWire(isaName string, e vmm.Exit) *pb.Exit {
	w := &pb.Exit{Code: int32(e.Code), Signal: int32(e.Signal)}
	if c := e.Crash; c != nil {
		w.Crash = crashToWire(isaName, c)
	}
	return w
}

func crashToWire(isaName string, c *vmm.Crash) *pb.Crash {
	w := &pb.Crash{Reason: c.Reason, Message: c.Message, Address: c.Addr, Pc: c.PC}
	if i := isa.ByName(isaName); i != nil {
		for n, v := range c.Regs {
			if name := i.RegName(n); name != "" {
				w.Registers = append(w.Registers, &pb.Register{Name: name, Value: v})
			}
		}
	}
	for _, f := range c.Backtrace {
		w.Backtrace = append(w.Backtrace, &pb.Frame{Pc: f.PC, Function: f.Function, File: f.File, Line: uint32(f.Line)})
	}
	return w
}
