package vmm

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/migrated/migrated/vmm/hostabi"
)

// frames encodes writes as the output ring has them.
func frames(writes ...string) []byte {
	var b []byte
	for i, w := range writes {
		b = binary.LittleEndian.AppendUint32(b, uint32(1+i%2)<<24|uint32(len(w)))
		b = append(b, w...)
	}
	return b
}

// TestDrain puts frames across the end of the ring, and of the indices.
func TestDrain(t *testing.T) {
	type call struct {
		stream Stream
		text   string
	}
	var got []call
	ring := &hostabi.Ring{}
	o := newOutput(ring, func(s Stream, p []byte) { got = append(got, call{s, string(p)}) }, nil)
	start := ^uint32(0) - 9
	o.tail, ring.Tail = start, start
	b := append(frames("one ", "and two"), frames("three", "")...)
	b = append(b, frames("four")...)
	for i, c := range b {
		ring.Data[(start+uint32(i))%hostabi.RingSize] = c
	}
	ring.Head = start + uint32(len(b))
	if err := o.drain(); err != nil {
		t.Fatal(err)
	}
	want := []call{{Stdout, "one "}, {Stderr, "and two"}, {Stdout, "three"}, {Stdout, "four"}}
	if len(got) != len(want) {
		t.Fatalf("calls %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("call %d: %v, want %v", i, got[i], want[i])
		}
	}
	if ring.Tail != ring.Head {
		t.Errorf("tail %#x, head %#x", ring.Tail, ring.Head)
	}
}

// FuzzDrain: whatever is in the ring, an error, or no more output than there was, and no
// call without any.
func FuzzDrain(f *testing.F) {
	f.Add(uint32(0), uint32(20), frames("hello", "world"))
	f.Add(^uint32(0)-3, uint32(20), frames("hello", "world"))
	f.Fuzz(func(t *testing.T, tail, n uint32, data []byte) {
		total := 0
		ring := &hostabi.Ring{Head: tail + n, Tail: tail}
		copy(ring.Data[:], bytes.Repeat(data, 1+hostabi.RingSize/(len(data)+1)))
		o := newOutput(ring, func(s Stream, p []byte) {
			if len(p) == 0 || s != Stdout && s != Stderr {
				t.Errorf("stream %d gets %d bytes", s, len(p))
			}
			total += len(p)
		}, nil)
		o.tail = tail
		if err := o.drain(); err == nil && ring.Tail != ring.Head {
			t.Error("not all was taken")
		}
		if total > int(n) {
			t.Errorf("%d bytes from %d", total, n)
		}
	})
}
