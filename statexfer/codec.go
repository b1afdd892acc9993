package statexfer

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A method is a codec at a level. Which levels there are is the sender's business alone.
type method uint8

const (
	asIs     method = iota
	withS2          // hundreds of MB/s
	zstdFast        // a third of that
	zstdGood        // a half of that again, and some per cent smaller
	methods
)

var methodCodec = [methods]Codec{asIs: None, withS2: S2, zstdFast: Zstd, zstdGood: Zstd}

// methodOf is what an operator gets who asks for a codec.
var methodOf = [...]method{None: asIs, S2: withS2, Zstd: zstdFast}

var zstdLevel = [methods]zstd.EncoderLevel{zstdFast: zstd.SpeedFastest, zstdGood: zstd.SpeedDefault}

// A compressor is one worker's encoders. They keep buffers between batches.
type compressor struct {
	zstd [methods]*zstd.Encoder // made when they are first needed
}

// encode appends src to dst, compressed.
func (c *compressor) encode(dst, src []byte, m method) ([]byte, error) {
	start := len(dst)
	switch methodCodec[m] {
	case S2:
		dst = slices.Grow(dst, s2.MaxEncodedLen(len(src)))
		out := s2.Encode(dst[start:cap(dst)], src)
		return dst[:start+len(out)], nil
	case Zstd:
		if c.zstd[m] == nil {
			enc, err := zstd.NewWriter(nil,
				zstd.WithEncoderLevel(zstdLevel[m]),
				zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(maxRaw),
				zstd.WithLowerEncoderMem(true),
				zstd.WithEncoderCRC(false)) // frames have their own
			if err != nil {
				return nil, fmt.Errorf("start zstd: %w", err)
			}
			c.zstd[m] = enc
		}
		return c.zstd[m].EncodeAll(src, dst), nil
	}
	return append(dst, src...), nil
}

// compress appends src to dst, and reports the codec that it ended up with: what does not
// shrink by a sixteenth is not worth the receiver's time and is appended as it is.
func (c *compressor) compress(dst, src []byte, m method) ([]byte, Codec, error) {
	start := len(dst)
	if m == asIs {
		return append(dst, src...), None, nil
	}
	dst, err := c.encode(dst, src, m)
	if err != nil {
		return nil, 0, err
	}
	if !shrunk(len(src), len(dst)-start) {
		return append(dst[:start], src...), None, nil
	}
	return dst, methodCodec[m], nil
}

func shrunk(raw, out int) bool { return out <= raw/16*15 }

// shrinks tells by some pages of a batch whether compressing it is worth while, for a small
// part of what that would take. scratch has room for their compressed form.
func (c *compressor) shrinks(src, scratch []byte) bool {
	const pieces, size = 4, PageSize
	if len(src) <= 4*pieces*size {
		return true // as quick to try
	}
	step := (len(src)/pieces - size) / PageSize * PageSize
	raw, out := 0, 0
	for at := 0; at+size <= len(src) && raw < pieces*size; at += max(step, size) {
		raw += size
		out += len(s2.Encode(scratch[:cap(scratch)], src[at:at+size]))
	}
	return shrunk(raw, out)
}

// close frees what the encoders hold.
func (c *compressor) close() {
	for _, enc := range c.zstd {
		if enc != nil {
			enc.Close()
		}
	}
}

// maxPayload is the room that any codec may need on its way, though what is sent is never
// longer than maxRaw.
var maxPayload = max(s2.MaxEncodedLen(maxRaw), maxRaw+maxRaw/128)

// newZstdDecoder makes a decoder that workers can share. It gives nothing beyond the
// capacity that it is handed, whatever a frame says of itself.
func newZstdDecoder(workers int) (*zstd.Decoder, error) {
	return zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(workers),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxRaw),
		zstd.WithDecoderMaxWindow(maxRaw),
		zstd.WithDecodeAllCapLimit(true))
}

// decompress fills dst from src, which has to have exactly that length.
func decompress(dec *zstd.Decoder, codec Codec, dst, src []byte) error {
	dst = dst[:len(dst):len(dst)]
	switch codec {
	case None: // of equal length, as parseFrame checked
		copy(dst, src)
	case S2:
		if n, err := s2.DecodedLen(src); err != nil || n != len(dst) {
			return bad(ErrFormat, "s2 data of another length")
		}
		if _, err := s2.Decode(dst, src); err != nil {
			return bad(ErrFormat, "s2: %v", err)
		}
	case Zstd:
		out, err := dec.DecodeAll(src, dst[:0])
		if err != nil {
			return bad(ErrFormat, "zstd: %v", err)
		}
		if len(out) != len(dst) {
			return bad(ErrFormat, "zstd data of another length")
		}
	}
	return nil
}
