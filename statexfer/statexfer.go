// Package statexfer moves guest memory: pages and streams, knowing neither KVM nor nodes.
package statexfer

import (
	"context"
	"io"
)

// PageSize is the unit of transfer, bytes.
const PageSize = 4096

// Options of a sender.
type Options struct {
	Compress Codec
	Progress func(Stats) // called now and then, from one goroutine
}

// A Codec names how batches are compressed.
type Codec uint8

const (
	Auto Codec = iota // chosen by measured link and CPU
	None
	S2
	Zstd
)

// Stats of one transfer; the sender's and the receiver's agree at the end.
type Stats struct {
	Pages     uint64 // of the region
	Zero      uint64 // left out because they are zero
	Sent      uint64 // carried by batches
	RawBytes  uint64 // of the pages carried
	WireBytes uint64 // as framed and compressed
	Batches   uint64
	Rounds    int
	Codec     Codec
}

// Send writes the pages of mem to w and returns when w has taken everything. digest is
// over all pages, zero ones included; the receiver computes the same.
func Send(ctx context.Context, w io.Writer, mem []byte, opt Options) (Stats, [32]byte, error) {
	panic("to be written by whoever builds statexfer")
}

// Receive reads what Send wrote and puts pages in place. It fails on any disagreement, and
// then mem's content is undefined.
func Receive(ctx context.Context, r io.Reader, mem []byte, progress func(Stats)) (Stats, [32]byte, error) {
	panic("to be written by whoever builds statexfer")
}
