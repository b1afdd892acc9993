package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A link opens with a greeting from either side, the dialling one first: the length of a
// Hello, little-endian, and the Hello. TLS has said by then who the other side is, and that it
// speaks this version of the protocol (trust.ProtoLink).
const (
	greetingFixed = 4
	maxHello      = 64 << 10 // bytes
)

// writeGreeting sends this side's half.
func writeGreeting(w io.Writer, hello *pb.Hello) error {
	body, err := proto.Marshal(hello)
	if err != nil {
		return fmt.Errorf("encode greeting: %w", err)
	}
	if len(body) > maxHello {
		return fmt.Errorf("encode greeting: %d bytes are more than %d", len(body), maxHello)
	}
	buf := make([]byte, 0, greetingFixed+len(body))
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(body)))
	buf = append(buf, body...)
	_, err = w.Write(buf)
	return err
}

// readGreeting reads the other side's half.
func readGreeting(r io.Reader) (*pb.Hello, error) {
	var fixed [greetingFixed]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	n := binary.LittleEndian.Uint32(fixed[:])
	if n > maxHello {
		return nil, fmt.Errorf("read greeting: %d bytes are more than %d", n, maxHello)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	hello := new(pb.Hello)
	if err := proto.Unmarshal(body, hello); err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	if hello.Refused == "" && (hello.Node.GetName() == "" || hello.Node.GetId() == "") {
		return nil, errors.New("read greeting: the peer does not say who it is")
	}
	return hello, nil
}
