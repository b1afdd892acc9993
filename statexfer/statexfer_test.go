package statexfer

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// fillPages writes content of several kinds: zero, text-like, repeated words, noise, numbers.
func fillPages(mem []byte, rng *rand.Rand) {
	words := []string{"migration ", "point ", "stack ", "frame ", "record ", "page "}
	for page := 0; page < len(mem)/PageSize; {
		n := min(1+rng.IntN(40), len(mem)/PageSize-page) // pages alike
		kind := rng.IntN(5)
		for i := range n {
			p := mem[(page+i)*PageSize:][:PageSize]
			switch kind {
			case 1:
				for at := 0; at < len(p); {
					at += copy(p[at:], words[rng.IntN(len(words))])
				}
			case 2:
				for at := 0; at+8 <= len(p); at += 64 {
					p[at] = byte(at >> 6)
				}
				p[rng.IntN(len(p))] = 1
			case 3:
				for at := range p {
					p[at] = byte(rng.Uint32())
				}
			case 4:
				for at := 0; at < len(p); at += wordSize {
					binary.LittleEndian.PutUint64(p[at:], rng.Uint64()>>20)
				}
			}
		}
		page += n
	}
}

func testMemory(pages int, seed uint64) []byte {
	mem := make([]byte, pages*PageSize)
	fillPages(mem, rand.New(rand.NewPCG(seed, 1)))
	return mem
}

// encode returns the stream that Send makes.
func encode(t testing.TB, mem []byte, opt Options) ([]byte, Stats, [32]byte) {
	t.Helper()
	var buf bytes.Buffer
	stats, digest, err := Send(context.Background(), &buf, mem, opt)
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), stats, digest
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.IntRange(0, 1500).Draw(rt, "pages")
		seed := rapid.Uint64().Draw(rt, "seed")
		codec := rapid.SampledFrom([]Codec{Auto, None, S2, Zstd}).Draw(rt, "codec")
		mem := testMemory(pages, seed)
		stream, sent, digest := encode(t, mem, Options{Compress: codec})

		got := make([]byte, len(mem))
		received, gotDigest, err := ReceiveWith(context.Background(), bytes.NewReader(stream), got, ReceiveOptions{ToEOF: true})
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(mem, got) {
			rt.Fatal("memory differs")
		}
		if digest != gotDigest || digest != Digest(mem) {
			rt.Fatalf("digests %x %x %x", digest, gotDigest, Digest(mem))
		}
		if sent != received {
			rt.Fatalf("sender %+v\nreceiver %+v", sent, received)
		}
		if sent.WireBytes != uint64(len(stream)) || sent.Zero+sent.Sent+sent.Same != uint64(pages) || sent.Pages != uint64(pages) {
			rt.Fatalf("stats %+v of a stream of %d bytes", sent, len(stream))
		}
	})
}
