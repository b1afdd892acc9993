package statexfer

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A method is a codec at a level, over pages as they are or over their planes. Which levels there
// are is the sender's business alone.
type method uint8

const (
	asIs     method = iota
	withS2          // hundreds of MB/s
	zstdFast        // a third of that
	zstdGood        // a half of that again, and some per cent smaller
	planesS2        // these three over planes
	planesZstdFast
	planesZstdGood
	methods
)

var methodCodec = [methods]Codec{
	asIs: None, withS2: S2, zstdFast: Zstd, zstdGood: Zstd,
	planesS2: S2, planesZstdFast: Zstd, planesZstdGood: Zstd,
}

func (m method) planes() bool { return m >= planesS2 }

// A form is what a batch shows of itself in a sample.
type form uint8

const (
	shapeless form = iota // does not shrink
	plain                 // shrinks as it is
	planar                // shrinks more as planes
	forms
)

// ladders are the methods that suit a form, those that take the least time first.
var ladders = [forms][]method{
	shapeless: {asIs},
	plain:     {asIs, withS2, zstdFast, zstdGood},
	planar:    {asIs, planesS2, planesZstdFast, planesZstdGood},
}

// ladderOf returns the ladder that a method is on.
func ladderOf(m method) []method {
	if m.planes() {
		return ladders[planar]
	}
	return ladders[plain]
}

// rungOf is what an operator gets who asks for a codec.
var rungOf = [...]int{None: 0, S2: 1, Zstd: 2}

// with returns how a batch of a form is sent with a codec.
func (f form) with(c Codec) method {
	ladder := ladders[f]
	return ladder[min(rungOf[c], len(ladder)-1)]
}

var zstdLevel = [...]zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault}

// level is the place of a method's level in zstdLevel.
func (m method) level() int {
	if m == zstdGood || m == planesZstdGood {
		return 1
	}
	return 0
}

// A compressor is one worker's encoders. They keep buffers between batches.
type compressor struct {
	zstd   [len(zstdLevel)]*zstd.Encoder // made when they are first needed
	planes []byte
	sample []byte // pages of a batch, and their compressed form
}

// encode appends src to dst, compressed.
func (c *compressor) encode(dst, src []byte, m method) ([]byte, error) {
	if m.planes() {
		if c.planes == nil {
			c.planes = make([]byte, maxRaw)
		}
		split(c.planes, src)
		src = c.planes[:len(src)]
	}
	start := len(dst)
	switch methodCodec[m] {
	case S2:
		dst = slices.Grow(dst, s2.MaxEncodedLen(len(src)))
		out := s2.Encode(dst[start:cap(dst)], src)
		return dst[:start+len(out)], nil
	case Zstd:
		enc := c.zstd[m.level()]
		if enc == nil {
			var err error
			enc, err = zstd.NewWriter(nil,
				zstd.WithEncoderLevel(zstdLevel[m.level()]),
				zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(maxRaw),
				zstd.WithLowerEncoderMem(true),
				zstd.WithEncoderCRC(false)) // frames have their own
			if err != nil {
				return nil, fmt.Errorf("start zstd: %w", err)
			}
			c.zstd[m.level()] = enc
		}
		return enc.EncodeAll(src, dst), nil
	}
	return append(dst, src...), nil
}

// compress appends src to dst, and reports the method that it ended up with: what does not
// shrink by a sixteenth is not worth the receiver's time and is appended as it is.
func (c *compressor) compress(dst, src []byte, m method) ([]byte, method, error) {
	start := len(dst)
	if m == asIs {
		return append(dst, src...), asIs, nil
	}
	dst, err := c.encode(dst, src, m)
	if err != nil {
		return nil, 0, err
	}
	if !shrunk(len(src), len(dst)-start) {
		return append(dst[:start], src...), asIs, nil
	}
	return dst, m, nil
}

func shrunk(raw, out int) bool { return out <= raw/16*15 }

// samplePages is how many pages of a batch tell its form.
const samplePages = 4

// look tells by some pages of a batch whether compressing it is worth while, and in which form,
// for a small part of what that would take.
func (c *compressor) look(src []byte) form {
	const most = samplePages * PageSize
	if c.sample == nil {
		c.sample = make([]byte, 2*most+s2.MaxEncodedLen(most))
	}
	pages, planes, out := c.sample[:0:most], c.sample[most:2*most], c.sample[2*most:]
	if len(src) < PageSize {
		return plain
	}
	step := max(len(src)/PageSize/samplePages, 1) * PageSize
	for at := 0; at+PageSize <= len(src) && len(pages) < most; at += step {
		pages = append(pages, src[at:at+PageSize]...)
	}
	split(planes, pages)
	asPages, asPlanes := len(s2.Encode(out, pages)), len(s2.Encode(out, planes[:len(pages)]))
	switch {
	case !shrunk(len(pages), min(asPages, asPlanes)):
		return shapeless
	case shrunk(asPages, asPlanes): // planes are some work more, on both sides
		return planar
	}
	return plain
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

// decompress fills dst from src, the payload of a frame, which has to give exactly that length.
// scratch is used for planes, and made when it is first needed.
func decompress(dec *zstd.Decoder, f *frame, dst, src []byte, scratch *[]byte) error {
	if !f.planes {
		return decode(dec, f.codec, dst, src)
	}
	if *scratch == nil {
		*scratch = make([]byte, maxRaw)
	}
	planes := (*scratch)[:len(dst)]
	if err := decode(dec, f.codec, planes, src); err != nil {
		return err
	}
	join(dst, planes)
	return nil
}

func decode(dec *zstd.Decoder, codec Codec, dst, src []byte) error {
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
