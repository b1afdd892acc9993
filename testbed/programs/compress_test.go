package programs_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// prose returns n bytes that compress about as text does.
func prose(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 600)
	for i := range words {
		letters := make([]byte, 1+r.IntN(9))
		for j := range letters {
			letters[j] = byte('a' + r.IntN(1+r.IntN(26)))
		}
		words[i] = string(letters)
	}
	var b bytes.Buffer
	for line := 0; b.Len() < n; line++ {
		fmt.Fprintf(&b, "%d", line)
		for range 3 + r.IntN(12) {
			b.WriteString(" " + words[int(float64(len(words))*r.Float64()*r.Float64())])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()[:n]
}

// A compressor packs its standard input and unpacks it again.
type compressor struct {
	script, image string
	name          string   // argv[0]
	pack, unpack  []string // arguments
	packer        []string // Debian's program, which must pack to the same bytes; nil: there is none
	unpacker      []string // Debian's, which must unpack the result
	size          int      // bytes of input; 0: 200,000
	build         string   // what building costs, where that is too much for every run
}

var compressors = []compressor{
	{
		script: "bzip2", image: "bzip2", name: "bzip2",
		pack: []string{"-9c"}, packer: []string{"bzip2"},
		unpack: []string{"-dc"}, unpacker: []string{"bzip2", "-dc"},
	},
	{
		script: "zlib", image: "minigzip", name: "minigzip",
		pack:   []string{"-9"},
		unpack: []string{"-d"}, unpacker: []string{"gzip", "-dc"},
	},
	{
		script: "gzip", image: "gzip", name: "gzip", build: "a minute of CPU time",
		pack: []string{"-9cn"}, packer: []string{"gzip"},
		unpack: []string{"-dc"}, unpacker: []string{"gzip", "-dc"},
	},
	{
		script: "zstd", image: "zstd", name: "zstd",
		// Three workers, and input for each: 512 KiB is the smallest piece that one takes.
		pack: []string{"-qc", "-3", "-T3", "-B524288"}, packer: []string{"zstd"}, size: 1_400_000,
		unpack: []string{"-qdc"}, unpacker: []string{"zstd", "-qdc"},
	},
	{
		script: "xz", image: "xz", name: "xz", build: "four minutes of CPU time",
		// Three workers, which a small block gives something to do.
		pack: []string{"-2c", "-T3", "--block-size=400000"}, packer: []string{"xz"},
		unpack: []string{"-dc", "-T3"}, unpacker: []string{"xz", "-dc"},
	},
	{
		script: "brotli", image: "brotli", name: "brotli", build: "76 seconds of CPU time",
		pack: []string{"-c", "-q", "9"}, packer: []string{"brotli"},
		unpack: []string{"-dc"}, unpacker: []string{"brotli", "-dc"},
	},
}

// TestCompressors packs with each program, moved on the way, and unpacks what it made. What
// it packs to must be what Debian's own program packs to.
func TestCompressors(t *testing.T) {
	t.Logf("seed %d", *seed)
	for _, c := range compressors {
		t.Run(c.name, func(t *testing.T) {
			if c.build != "" {
				expensive(t, c.build)
			}
			t.Parallel()
			size := cmp.Or(c.size, 200_000)
			if long {
				size = 4_000_000
			}
			text := prose(size)
			image := built(t, c.script)[c.image]
			pack := workload{args: append([]string{c.name}, c.pack...), stdin: text, memory: 256 << 20}
			if c.packer != nil {
				pack.reference = append(c.packer, c.pack...)
			}
			packed := pack.run(t, image)
			if len(packed) > len(text)/2 {
				t.Errorf("%d bytes are packed to %d", len(text), len(packed))
			}
			unpack := workload{
				args: append([]string{c.name}, c.unpack...), stdin: packed, memory: 256 << 20, reference: c.unpacker,
			}
			if out := unpack.run(t, image); !bytes.Equal(out, text) {
				t.Errorf("unpacked it is %s", brief(out))
			}
		})
	}
}

// TestZlibExample runs zlib's own test, which names what fails and ends with status 1.
func TestZlibExample(t *testing.T) {
	t.Parallel()
	out := string(workload{args: []string{"example"}}.run(t, built(t, "zlib")["zlib-example"]))
	for _, part := range []string{"uncompress(): hello, hello!", "gzread(): hello, hello!", "inflate with dictionary: hello, hello!"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in what it prints:\n%s", part, out)
		}
	}
}
