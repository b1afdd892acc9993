package statexfer

import (
	"bytes"
	"testing"
)

func TestPlanes(t *testing.T) {
	src := testNoise(3)
	planes, back := make([]byte, len(src)), make([]byte, len(src))
	split(planes, src)
	for i := range src {
		page, at := i/PageSize*PageSize, i%PageSize
		if got := planes[page+at%wordSize*planeSize+at/wordSize]; got != src[i] {
			t.Fatalf("byte %d is %#x in its plane, was %#x", i, got, src[i])
		}
	}
	join(back, planes)
	if !bytes.Equal(back, src) {
		t.Fatal("what was split is joined as something else")
	}
}

func BenchmarkPlanes(b *testing.B) {
	src := testNoise(maxBatchPages)
	dst := make([]byte, len(src))
	for name, f := range map[string]func(dst, src []byte){"split": split, "join": join} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				f(dst, src)
			}
		})
	}
}
