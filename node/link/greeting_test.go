package link

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func greeting(t testing.TB, hello *pb.Hello) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeGreeting(&b, hello); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGreeting(t *testing.T) {
	whole := greeting(t, &pb.Hello{Node: &pb.NodeInfo{Name: "a", Id: "1", Levels: []string{"v2"}}})
	hello, err := readGreeting(bytes.NewReader(whole))
	if err != nil || hello.Node.Name != "a" || hello.Node.Levels[0] != "v2" {
		t.Fatalf("got %v, %v", hello, err)
	}
	for n := range whole {
		if _, err := readGreeting(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("a greeting cut off after %d of %d bytes was accepted", n, len(whole))
		}
	}
}

func TestGreetingRefuses(t *testing.T) {
	good := greeting(t, &pb.Hello{Node: &pb.NodeInfo{Name: "a", Id: "1"}})
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for _, test := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"length", change(func(b []byte) { binary.LittleEndian.PutUint32(b, maxHello+1) }), "are more than"},
		{"nonsense", change(func(b []byte) { b[greetingFixed] = 0xff }), "read greeting"},
		{"nobody", greeting(t, &pb.Hello{Node: &pb.NodeInfo{Name: "a"}}), "does not say who"},
	} {
		if _, err := readGreeting(bytes.NewReader(test.bytes)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestGreetingTooLarge(t *testing.T) {
	err := writeGreeting(new(bytes.Buffer), &pb.Hello{Refused: strings.Repeat("x", maxHello)})
	if err == nil {
		t.Error("a greeting that no peer takes was sent")
	}
}

// FuzzGreeting: an error, or a greeting that survives a round trip, and no more than is
// there is allocated.
func FuzzGreeting(f *testing.F) {
	f.Add(greeting(f, &pb.Hello{Node: &pb.NodeInfo{Name: "a", Id: "1"}}))
	f.Add(greeting(f, &pb.Hello{Refused: "no"}))
	f.Add([]byte{0xff, 0xff, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		hello, err := readGreeting(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := readGreeting(bytes.NewReader(greeting(t, hello)))
		if err != nil || !proto.Equal(hello, again) {
			t.Errorf("%v became %v, %v", hello, again, err)
		}
	})
}

// FuzzStreamHeader: an error, or a header that survives a round trip.
func FuzzStreamHeader(f *testing.F) {
	f.Add([]byte{kindControl})
	f.Add(append([]byte{kindData}, make([]byte, 17)...))
	f.Add([]byte{9})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readStreamHeader(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := writeStreamHeader(&out, h); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b, out.Bytes()) {
			t.Errorf("%x became %x", b, out.Bytes())
		}
	})
}
