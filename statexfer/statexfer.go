// Package statexfer moves guest memory: pages and streams, knowing neither KVM nor nodes.
//
// Memory travels in rounds. Stop-and-copy is one round over everything (Send, Receive).
// Pre-copy gives a Sender further rounds, each over a dirty bitmap, while the guest runs.
// Post-copy gives it small rounds in the order of the guest's requests; the receiver is told
// what is in place by a callback. docs/wire-memory.md describes the stream.
package statexfer

import (
	"context"
	"fmt"
	"io"
	"os"
)

// PageSize is the unit of transfer, bytes.
const PageSize = 4096

// Options of a sender.
type Options struct {
	Compress  Codec
	Progress  func(Stats) // called now and then, from one goroutine
	Workers   int         // goroutines that hash and compress; 0 for one a processor, at most 4
	Bandwidth uint64      // bytes a second at most; 0: what the link takes

	// Again says that pages will be sent again in later rounds, as they change: then hashes of
	// their parts are kept, 72 bytes a page.
	Again bool

	// Base is what the receiver has offered, by page number; nil: nothing.
	Base *Offer

	// Backing, where set, is the file of which memory is a shared mapping, from
	// BackingOffset on. Pages that the file has never had are then known to be zero without
	// touching them, which would allocate them.
	Backing       *os.File
	BackingOffset int64
	// Anonymous says that memory is private to this process and no file's, and begins with a
	// page: then the process's page map tells the same.
	Anonymous bool
	PageMap   *os.File // /proc/self/pagemap; nil: it is opened
}

// ReceiveOptions of a receiver.
type ReceiveOptions struct {
	Progress func(Stats) // called now and then, from one goroutine
	Workers  int         // goroutines that decompress and place; 0 for one a processor, at most 4

	// Base is what memory holds when the transfer begins and the sender knows of; nil: zeros.
	Base *Offer
	// Later, where set, gets the pages that the sender leaves to post-copy; they are zero
	// then. Without it such pages are an error.
	Later Bitmap
	// Awaits, where set, is called once, when the first pages are left to post-copy.
	Awaits func()
	// Free, where set, makes pages that are left to post-copy as if memory had never had them, which is
	// zero. It is called by several goroutines at once.
	Free func(Run) error
	// Leaves, where set, is given the hash of each page as soon as all has been checked: somebody may
	// wait for that, and what is still to be cleared away need not hold them up. Nothing touches memory
	// from then on.
	Leaves func([]uint64) error
	// Round, where set, is called when all pages of the rounds so far are in place, their
	// number its argument.
	Round func(int) error
	// Placed, where set, is called when the pages of a run are in place, in any order and
	// from several goroutines at once.
	Placed func(Run)
	// ToEOF makes anything behind the end of the transfer an error. Without it not one byte
	// behind the end is read.
	ToEOF bool
}

// A Codec names how batches are compressed.
type Codec uint8

const (
	Auto Codec = iota // chosen by measured link and CPU
	None
	S2
	Zstd
)

var codecNames = [...]string{Auto: "auto", None: "none", S2: "s2", Zstd: "zstd"}

func (c Codec) String() string {
	if int(c) < len(codecNames) {
		return codecNames[c]
	}
	return fmt.Sprintf("codec %d", uint8(c))
}

// ParseCodec is the inverse of String, for options that people give.
func ParseCodec(s string) (Codec, error) {
	for c, name := range codecNames {
		if s == name {
			return Codec(c), nil
		}
	}
	return 0, fmt.Errorf("unknown compression %q: use auto, none, s2 or zstd", s)
}

// Stats of one transfer; the sender's and the receiver's agree at the end.
type Stats struct {
	Pages     uint64 // of the region
	Zero      uint64 // zero at the end of the transfer
	Sent      uint64 // carried whole, over all rounds
	Delta     uint64 // carried as what changed since they were sent before, or as parts that did
	Same      uint64 // not carried: equal to another page that was sent
	Base      uint64 // not carried: the receiver had them
	Later     uint64 // left to post-copy
	RawBytes  uint64 // of the pages carried
	WireBytes uint64 // as framed and compressed
	Batches   uint64
	Rounds    int
	Codec     Codec            // as asked for
	By        [Zstd + 1]uint64 // bytes of pages carried, by the codec that they really got
}

// Send writes the pages of mem to w and returns when w has taken everything. mem must not
// change meanwhile. digest is over all pages, zero ones included; the receiver computes the
// same. Cancelling ctx interrupts a blocked write if w has deadlines, as a net.Conn has.
func Send(ctx context.Context, w io.Writer, mem []byte, opt Options) (Stats, [32]byte, error) {
	s, err := NewSender(w, mem, opt)
	if err != nil {
		return Stats{}, [32]byte{}, err
	}
	defer s.Close()
	if err := s.Round(ctx, nil); err != nil {
		return s.Stats(), [32]byte{}, err
	}
	return s.End(ctx)
}

// Receive reads what Send wrote and puts pages in place. mem must be zero when it starts, as
// a fresh mapping is. It fails on any disagreement, and then mem's content is undefined. No
// byte behind the transfer is read. Cancelling ctx interrupts a blocked read if r has
// deadlines, as a net.Conn has.
func Receive(ctx context.Context, r io.Reader, mem []byte, progress func(Stats)) (Stats, [32]byte, error) {
	return ReceiveWith(ctx, r, mem, ReceiveOptions{Progress: progress})
}
