package live

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/migrated/migrated/statexfer"
)

// Post-copy has two streams beside that of the transfer. On the demand stream the target asks
// for pages that the guest waits for, and gets them; on the push stream the source sends all
// others, unasked. Both can break, together or not, and are then opened again: the target
// begins by saying what it lacks, so nothing else has to be remembered.
const (
	DemandStream = 1 // numbers for Streams
	PushStream   = 2
)

// Streams joins the two sides of a move. Both open a stream by its number; it blocks until there
// is a way to the other side.
type Streams interface {
	Open(ctx context.Context, number uint8) (net.Conn, error)
}

// The target's part of the demand stream: a hello, then requests.
//
//	hello    "migfill\n", number of the attempt, bytes of the set, checksum of the set,
//	         checksum of all this; the set of pages that it lacks, as AppendBitmap has it
//	request  page number, or a word below; checksum of it
//
// Its part of the push stream is the number of the attempt as a request, and then one byte for
// each frame that it has placed. Streams of one attempt belong together: where one of them was
// lost before the source had taken it, the other is of no use.
const (
	fillMagic  = "migfill\n"
	helloLen   = 40
	requestLen = 16

	// complete is sent in place of a page number when no page is missing, with the digest of
	// all pages behind it. The source answers with one byte, 1 if it agrees.
	complete = 1<<64 - 1
)

func appendHello(b []byte, attempt uint64, missing statexfer.Bitmap, pages uint64) []byte {
	set := statexfer.AppendBitmap(nil, missing, pages)
	start := len(b)
	b = append(b, fillMagic...)
	b = binary.LittleEndian.AppendUint64(b, attempt)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(set)))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(set))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[start:]))
	return append(b, set...)
}

// readHello reads what the target lacks, and the number of its attempt.
func readHello(r io.Reader, pages uint64) (attempt uint64, missing statexfer.Bitmap, err error) {
	var hdr [helloLen]byte
	if _, err := io.ReadFull(r, hdr[:]); err != nil {
		return 0, nil, err
	}
	if string(hdr[:8]) != fillMagic || binary.LittleEndian.Uint64(hdr[32:]) != xxhash.Sum64(hdr[:32]) {
		return 0, nil, fmt.Errorf("demand stream begins wrongly: %w", statexfer.ErrFormat)
	}
	// A run takes two numbers, and between two runs is a page: at most a byte for a page, and
	// some for the first numbers.
	n := binary.LittleEndian.Uint64(hdr[16:])
	if n > pages+20 {
		return 0, nil, fmt.Errorf("set of %d bytes for %d pages: %w", n, pages, statexfer.ErrFormat)
	}
	set := make([]byte, n)
	if _, err := io.ReadFull(r, set); err != nil {
		return 0, nil, err
	}
	if binary.LittleEndian.Uint64(hdr[24:]) != xxhash.Sum64(set) {
		return 0, nil, fmt.Errorf("set of missing pages: %w", statexfer.ErrChecksum)
	}
	missing, err = statexfer.ParseBitmap(set, pages)
	return binary.LittleEndian.Uint64(hdr[8:]), missing, err
}

func appendRequest(b []byte, page uint64) []byte {
	b = binary.LittleEndian.AppendUint64(b, page)
	return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[len(b)-8:]))
}

// readRequest reads a page number, or complete.
func readRequest(r io.Reader, pages uint64) (uint64, error) {
	var b [requestLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, err
	}
	page := binary.LittleEndian.Uint64(b[:])
	if binary.LittleEndian.Uint64(b[8:]) != xxhash.Sum64(b[:8]) {
		return 0, fmt.Errorf("request for a page: %w", statexfer.ErrChecksum)
	}
	if page != complete && page >= pages {
		return 0, fmt.Errorf("request for page %d of %d: %w", page, pages, statexfer.ErrPageRange)
	}
	return page, nil
}

// accept takes both streams of one attempt of the target's.
func accept(ctx context.Context, s Streams, pages uint64) (demand, push net.Conn, missing statexfer.Bitmap, err error) {
	defer func() {
		if err != nil {
			for _, c := range []net.Conn{demand, push} {
				if c != nil {
					c.Close()
				}
			}
		}
	}()
	var first, second uint64 // attempts of demand and push
	for {
		if demand == nil {
			if demand, err = s.Open(ctx, DemandStream); err != nil {
				return demand, push, nil, fmt.Errorf("%w: %w", errStreams, err)
			}
			if first, missing, err = begin(ctx, demand, func() (uint64, statexfer.Bitmap, error) { return readHello(demand, pages) }); err != nil {
				demand.Close()
				demand = nil
				if ctx.Err() != nil {
					return nil, push, nil, context.Cause(ctx)
				}
				continue
			}
		}
		if push == nil {
			var late bool
			if push, second, late, err = acceptPush(ctx, s); late {
				// The target may have given this attempt up, and wait for its next demand stream.
				demand.Close()
				demand = nil
				continue
			} else if err != nil {
				return demand, push, nil, err
			}
		}
		switch {
		case first == second:
			return demand, push, missing, nil
		case first < second:
			demand.Close()
			demand = nil
		default:
			push.Close()
			push = nil
		}
	}
}

// pairTimeout is how long after the demand stream of an attempt its push stream may come.
const pairTimeout = 5 * time.Second

// acceptPush takes the next push stream. late: it does not come, or broke at once.
func acceptPush(ctx context.Context, s Streams) (push net.Conn, attempt uint64, late bool, err error) {
	limited, cancel := context.WithTimeout(ctx, pairTimeout)
	defer cancel()
	if push, err = s.Open(limited, PushStream); err == nil {
		attempt, _, err = begin(limited, push, func() (uint64, statexfer.Bitmap, error) {
			n, err := readRequest(push, complete)
			return n, nil, err
		})
		if err != nil {
			push.Close()
			return nil, 0, true, err
		}
		return push, attempt, false, nil
	}
	return nil, 0, limited.Err() != nil && ctx.Err() == nil, fmt.Errorf("%w: %w", errStreams, err)
}

// begin reads how a stream begins, for no longer than ctx.
func begin(ctx context.Context, c net.Conn, read func() (uint64, statexfer.Bitmap, error)) (uint64, statexfer.Bitmap, error) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	return read()
}
