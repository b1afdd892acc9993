package statexfer

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// What memory holds, 4 MiB of each.
var benchContents = []struct {
	name string
	word func(i int, rng *rand.Rand) uint64
}{
	{"numbers", func(_ int, rng *rand.Rand) uint64 { return uint64(rng.Uint32()) }},
	{"floats", floats()},
	// Tables of an interpreter: a pointer to something near, its type, a small number, a flag.
	{"records", func(i int, rng *rand.Rand) uint64 {
		switch i % 4 {
		case 0:
			return 0x7f31_4000_0000 + uint64(i+rng.IntN(500))*48
		case 1:
			return uint64(rng.IntN(5))
		case 2:
			return uint64(rng.IntN(1000))
		}
		return 0x5400000000 * uint64(rng.IntN(2))
	}},
	{"text", func(_ int, rng *rand.Rand) uint64 {
		words := [...]string{"migrate ", "a point ", "of stack", " frame: ", "records ", " page 12"}
		return binary.LittleEndian.Uint64([]byte(words[rng.IntN(len(words))])) ^ uint64(rng.IntN(16))<<(rng.IntN(8)*8)
	}},
	{"sparse", func(_ int, rng *rand.Rand) uint64 {
		if rng.IntN(50) > 0 {
			return 0
		}
		return rng.Uint64() >> (rng.IntN(4) * 16)
	}},
	{"noise", func(_ int, rng *rand.Rand) uint64 { return rng.Uint64() }},
}

func floats() func(int, *rand.Rand) uint64 {
	x := 0.0
	return func(_ int, rng *rand.Rand) uint64 {
		x += rng.Float64() - 0.5
		return math.Float64bits(x)
	}
}

// BenchmarkCodecs is one worker's compressing and decompressing by each method, and what becomes
// of a byte.
func BenchmarkCodecs(b *testing.B) {
	names := [methods]string{"none", "s2", "zstd", "zstd-good", "planes-s2", "planes-zstd", "planes-zstd-good"}
	enc := &compressor{}
	dec, err := newZstdDecoder(1)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range benchContents {
		rng := rand.New(rand.NewPCG(1, 2))
		mem := make([]byte, 4*maxRaw)
		for i := range len(mem) / 8 {
			binary.LittleEndian.PutUint64(mem[8*i:], c.word(i, rng))
		}
		for m := withS2; m < methods; m++ {
			var packed [4][]byte
			size := 0
			for i := range packed {
				if packed[i], err = enc.encode(make([]byte, 0, maxPayload), mem[i*maxRaw:][:maxRaw], m); err != nil {
					b.Fatal(err)
				}
				size += len(packed[i])
			}
			b.Run(fmt.Sprintf("%s/%s/in", c.name, names[m]), func(b *testing.B) {
				b.SetBytes(int64(len(mem)))
				out := make([]byte, 0, maxPayload)
				for b.Loop() {
					for i := range packed {
						enc.encode(out, mem[i*maxRaw:][:maxRaw], m)
					}
				}
				b.ReportMetric(float64(size)/float64(len(mem)), "size")
			})
			b.Run(fmt.Sprintf("%s/%s/out", c.name, names[m]), func(b *testing.B) {
				b.SetBytes(int64(len(mem)))
				out := make([]byte, maxRaw)
				var scratch []byte
				f := frame{codec: methodCodec[m], planes: m.planes()}
				for b.Loop() {
					for i := range packed {
						if err := decompress(dec, &f, out, packed[i], &scratch); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}
