package live

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// Options of a receiver.
type Options struct {
	Kept    bool                      // memory holds pages already: hash and offer them
	Offer   *statexfer.Offer          // what memory holds, where that is known
	Later   bool                      // pages may come by post-copy
	Awaits  func()                    // called when the first are left to that; may be nil
	Free    func(statexfer.Run) error // makes them missing; nil: they are zero
	Confirm bool                      // the sender waits until the whole has been checked
	PageMap *os.File                  // /proc/self/pagemap; nil: it is opened
	Report  func(statexfer.Stats)
}

// confirmed is what a receiver says in place of a number of rounds when it has checked all.
const confirmed = 1<<32 - 1

// armed is what it says, at any time, when it is ready to start the guest.
const armed = 1<<32 - 2

// SayArmed tells a Send that asks for it that the guest can be started.
func SayArmed(conn io.Writer) error {
	_, err := conn.Write(binary.LittleEndian.AppendUint32(nil, armed))
	return err
}

// An Arrival is memory that has been received.
type Arrival struct {
	Memory statexfer.Stats
	Digest [32]byte
	Later  statexfer.Bitmap // pages that come by post-copy; nil: none
	Leaves []uint64         // hash of each page
}

// Receive takes what Send sends, into mem, which is zero or holds pages to be offered.
func Receive(ctx context.Context, conn net.Conn, mem []byte, opt Options) (*Arrival, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	a, err := receive(ctx, conn, mem, opt)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return a, err
}

func receive(ctx context.Context, conn net.Conn, mem []byte, opt Options) (*Arrival, error) {
	base := opt.Offer
	if base == nil && opt.Kept {
		base = statexfer.NewOffer(mem, true, opt.PageMap)
	}
	if err := base.Propose(conn); err != nil {
		return nil, err
	}
	a := &Arrival{}
	ro := statexfer.ReceiveOptions{
		Base:     base,
		Awaits:   opt.Awaits,
		Free:     opt.Free,
		Progress: opt.Report,
		Leaves: func(leaves []uint64) error {
			a.Leaves = leaves
			if !opt.Confirm {
				return nil
			}
			_, err := conn.Write(binary.LittleEndian.AppendUint32(nil, confirmed))
			return err
		},
		Round: func(n int) error {
			_, err := conn.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
			return err
		},
	}
	if opt.Later {
		ro.Later = statexfer.NewBitmap(uint64(len(mem)) / statexfer.PageSize)
	}
	var err error
	if a.Memory, a.Digest, err = statexfer.ReceiveWith(ctx, conn, mem, ro); err != nil {
		return nil, err
	}
	if a.Memory.Later > 0 {
		a.Later = ro.Later
	}
	return a, nil
}
