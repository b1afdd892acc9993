package statexfer

import (
	"context"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
)

// Relay copies one transfer from r to w without the memory that it is for, and reads nothing
// behind it. It checks each frame by itself; whether pages are what they should be, only who
// has the memory can tell. round, where set, is called when a round has been copied, with the
// number of rounds so far. It returns the sender's digest.
func Relay(ctx context.Context, w io.Writer, r io.Reader, pages uint64, round func(int) error) (digest [32]byte, err error) {
	defer interrupt(ctx, readDeadline(r))()
	defer interrupt(ctx, writeDeadline(w))()
	digest, err = relay(w, r, pages, round)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return digest, fmt.Errorf("pass on memory: %w", err)
	}
	return digest, nil
}

func relay(w io.Writer, r io.Reader, pages uint64, round func(int) error) (digest [32]byte, err error) {
	var hdr [streamHdrLen]byte
	offset := uint64(0)
	read := func(p []byte) error {
		n, err := io.ReadFull(r, p)
		offset += uint64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return bad(ErrTruncated, "after %d bytes", offset)
		}
		return err
	}
	if err := read(hdr[:]); err != nil {
		return digest, locate(err, 0, 0)
	}
	switch _, n, err := parseStreamHeader(&hdr); {
	case err != nil:
		return digest, locate(err, 0, 0)
	case n != pages:
		return digest, locate(bad(ErrGeometry, "%d pages, here %d", n, pages), 0, 0)
	}
	if _, err := w.Write(hdr[:]); err != nil {
		return digest, err
	}
	buf := make([]byte, frameHdrLen+maxSetLen+maxRaw)
	rounds := 0
	for seq := uint32(0); ; seq++ {
		at := offset
		if err := read(buf[:frameHdrLen]); err != nil {
			return digest, locate(err, seq, at)
		}
		f, err := parseFrame((*[frameHdrLen]byte)(buf), seq)
		if err != nil {
			return digest, locate(err, seq, at)
		}
		body := buf[frameHdrLen:][:f.bodyLen()]
		if err := read(body); err != nil {
			return digest, locate(err, seq, at)
		}
		if f.bodyLen() > 0 && xxhash.Sum64(body[:f.covered()]) != f.bodySum {
			return digest, locate(bad(ErrChecksum, "body"), seq, at)
		}
		if _, err := w.Write(buf[:frameHdrLen+len(body)]); err != nil {
			return digest, err
		}
		switch f.kind {
		case kindRound:
			rounds++
			if round != nil {
				if err := round(rounds); err != nil {
					return digest, err
				}
			}
		case kindEnd:
			copy(digest[:], body[endLen-len(digest):])
			return digest, nil
		}
	}
}
