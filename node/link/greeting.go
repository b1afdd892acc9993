package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A link opens with a greeting from either side, the dialling one first: the magic, the
// version, the length of a Hello, and the Hello. docs/wire.md has the layout.
const (
	// Version of the link protocol; sides of different versions part at once.
	Version = 1

	magic         = "MIGRLINK" // as long as the beginning of HTTP/2 that tells gRPC apart
	greetingFixed = len(magic) + 2 + 4
	maxHello      = 64 << 10 // bytes
)

var (
	errNotLink = errors.New("not a migrated link")
	// ErrVersion is wrapped by the error for a peer of another link version.
	ErrVersion = errors.New("other version of the link protocol")
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
	buf = append(buf, magic...)
	buf = binary.LittleEndian.AppendUint16(buf, Version)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(body)))
	buf = append(buf, body...)
	_, err = w.Write(buf)
	return err
}

// readGreeting reads the other side's half, magic included.
func readGreeting(r io.Reader) (*pb.Hello, error) {
	var fixed [greetingFixed]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	if string(fixed[:len(magic)]) != magic {
		return nil, errNotLink
	}
	if v := binary.LittleEndian.Uint16(fixed[len(magic):]); v != Version {
		return nil, fmt.Errorf("%w: it speaks %d, this node %d", ErrVersion, v, Version)
	}
	n := binary.LittleEndian.Uint32(fixed[len(magic)+2:])
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
