package control

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	for _, want := range []Request{
		{Run: []string{"/bin/a", "", "two words\n", "ä"}},
		{Time: 1},
		{PowerOff: true},
	} {
		var b bytes.Buffer
		if err := WriteRequest(&b, want); err != nil {
			t.Fatal(err)
		}
		b.WriteString("rest")
		r := NewReader(&b)
		got, err := ReadRequest(r)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "rest" {
			t.Errorf("behind the request is %q", rest)
		}
	}
}

func TestBadRequests(t *testing.T) {
	for _, line := range []string{"", "{}", "x\n", "[]\n", strings.Repeat("a", maxRequest+1)} {
		if req, err := ReadRequest(NewReader(strings.NewReader(line))); err == nil {
			t.Errorf("%.20q is %+v", line, req)
		}
	}
	if err := WriteRequest(io.Discard, Request{Run: []string{strings.Repeat("a", maxRequest)}}); err == nil {
		t.Error("a request that is too long was sent")
	}
}

func TestFrames(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), maxPayload/4)
	var b bytes.Buffer
	for _, err := range []error{
		WriteFrame(&b, Stdout, big),
		WriteFrame(&b, Stderr, nil),
		WriteFrame(&b, Status, []byte{0, 0, 0, 7}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got := map[Kind][]byte{}
	for {
		kind, payload, err := ReadFrame(&b)
		if b.Len() == 0 && err != nil {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[kind] = append(got[kind], payload...)
	}
	if !bytes.Equal(got[Stdout], big) || len(got[Stderr]) != 0 || !bytes.Equal(got[Status], []byte{0, 0, 0, 7}) {
		t.Errorf("frames changed on the way: %d bytes of output, want %d", len(got[Stdout]), len(big))
	}
}

// Whatever arrives is an error or a frame that survives a round trip.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 1, 'a'})
	f.Add([]byte{2, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		kind, payload, err := ReadFrame(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteFrame(&b, kind, payload); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(in, b.Bytes()) {
			t.Errorf("% x became % x", in, b.Bytes())
		}
	})
}
