package link

import (
	"fmt"
	"io"
	"net"
)

// A stream of a link begins with one byte that says what it carries; a data stream goes on
// with the token of the move that it belongs to.
const (
	kindControl = 1 // gRPC
	kindData    = 2 // a token, then memory as statexfer writes it
)

// A Token names one move: random, so that no stream can be taken for another's.
type Token [16]byte

// ParseToken checks a token that came over the wire.
func ParseToken(b []byte) (Token, error) {
	var t Token
	if len(b) != len(t) {
		return t, fmt.Errorf("a token has %d bytes, not %d", len(t), len(b))
	}
	copy(t[:], b)
	return t, nil
}

func (t Token) String() string { return fmt.Sprintf("%x", t[:]) }

// writeStreamHeader opens a stream towards the peer.
func writeStreamHeader(w io.Writer, kind byte, token Token) error {
	header := []byte{kind}
	if kind == kindData {
		header = append(header, token[:]...)
	}
	_, err := w.Write(header)
	return err
}

// readStreamHeader reads what the peer opened.
func readStreamHeader(r io.Reader) (kind byte, token Token, err error) {
	var k [1]byte
	if _, err := io.ReadFull(r, k[:]); err != nil {
		return 0, token, fmt.Errorf("read stream header: %w", err)
	}
	switch k[0] {
	case kindControl:
	case kindData:
		if _, err := io.ReadFull(r, token[:]); err != nil {
			return 0, token, fmt.Errorf("read stream header: %w", err)
		}
	default:
		return 0, token, fmt.Errorf("read stream header: no such kind: %d", k[0])
	}
	return k[0], token, nil
}

// A controlConn is a control stream as the gRPC server sees it; its remote address is the
// link, so that a handler knows who asks.
type controlConn struct {
	net.Conn
	addr Addr
}

func (c controlConn) RemoteAddr() net.Addr { return c.addr }

// An Addr is the remote address of a control stream.
type Addr struct{ Link *Link }

func (a Addr) Network() string { return "link" }
func (a Addr) String() string  { return a.Link.Name() }
