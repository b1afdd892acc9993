package statexfer

import (
	"fmt"
	"sync"
	"time"

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

// A chooser picks the codec of each batch. For Auto it estimates, for each codec, the time
// that a byte of memory takes through the slower of compressing it (in parallel) and writing
// what is left of it (one after the other), and takes the least.
type chooser struct {
	asked   Codec
	workers float64

	mu    sync.Mutex
	picks int
	seen  [Zstd + 1]estimate
	link  float64 // seconds a byte takes on the wire; 0 until measured
}

type estimate struct {
	ratio float64 // wire bytes a raw byte
	cpu   float64 // seconds a raw byte in one worker; 0 until measured
}

const (
	smooth = 1.0 / 8 // weight of a new measurement
	probe  = 32      // every so many batches a codec gets a chance that has lost
)

func newChooser(asked Codec, workers int) *chooser {
	c := &chooser{asked: asked, workers: float64(workers)}
	c.seen[None] = estimate{ratio: 1, cpu: 1e-10} // copying, 10 GB/s
	return c
}

func (c *chooser) pick() Codec {
	if c.asked != Auto {
		return c.asked
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.picks++
	if c.picks%probe == 0 {
		return [...]Codec{S2, Zstd}[c.picks/probe%2]
	}
	best, least := S2, 0.0
	for codec := None; codec <= Zstd; codec++ {
		e := c.seen[codec]
		if e.cpu == 0 { // S2 first, as it cannot cost much, then zstd
			return codec
		}
		cpu, wire := e.cpu/c.workers, e.ratio*c.link
		// The smaller part counts a little: of two that keep up, the one that leaves
		// processor and link to others.
		if t := max(cpu, wire) + min(cpu, wire)/8; least == 0 || t < least {
			best, least = codec, t
		}
	}
	return best
}

// compressed notes what one batch took.
func (c *chooser) compressed(codec Codec, raw, wire int, took time.Duration) {
	if c.asked != Auto || codec == None {
		return
	}
	ratio := float64(wire) / float64(raw)
	cpu := max(took.Seconds(), 1e-9) / float64(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &c.seen[codec]
	if e.cpu == 0 {
		*e = estimate{ratio, cpu}
		return
	}
	e.ratio += (ratio - e.ratio) * smooth
	e.cpu += (cpu - e.cpu) * smooth
}

// wrote notes how long the link took for a frame.
func (c *chooser) wrote(wire int, took time.Duration) {
	if c.asked != Auto {
		return
	}
	t := max(took.Seconds(), 1e-9) / float64(wire)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == 0 {
		c.link = t
		return
	}
	c.link += (t - c.link) * smooth
}
