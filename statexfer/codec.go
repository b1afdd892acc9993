package statexfer

import (
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A compressor is one worker's encoders. They keep buffers between batches.
type compressor struct {
	zstd *zstd.Encoder // made when it is first needed
}

// compress appends src to dst, and reports the codec that it ended up with: what does not
// shrink by a sixteenth is not worth the receiver's time and is appended as it is.
func (c *compressor) compress(dst, src []byte, codec Codec) ([]byte, Codec, error) {
	start := len(dst)
	switch codec {
	case S2:
		out := s2.Encode(dst[start:cap(dst)], src)
		dst = dst[:start+len(out)]
	case Zstd:
		if c.zstd == nil {
			enc, err := zstd.NewWriter(nil,
				zstd.WithEncoderLevel(zstd.SpeedFastest),
				zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(maxRaw),
				zstd.WithLowerEncoderMem(true),
				zstd.WithEncoderCRC(false)) // frames have their own
			if err != nil {
				return nil, 0, fmt.Errorf("start zstd: %w", err)
			}
			c.zstd = enc
		}
		dst = c.zstd.EncodeAll(src, dst)
	}
	if codec == None || len(dst)-start > len(src)/16*15 {
		return append(dst[:start], src...), None, nil
	}
	return dst, codec, nil
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
