package link

import (
	"fmt"
	"io"
	"net"
)

// A stream of a link begins with one byte that says what it carries; one that asks for a data
// connection goes on with the token of the move and the connection's number among the move's.
const (
	kindControl = 1 // gRPC
	kindData    = 2 // a token and a number: the other side, which has dialled the link, is to dial again
	kindRenewal = 3 // a certificate that takes the place of the one before
)

// dialledData answers who asked for a data connection: it has been dialled.
const dialledData = 1

// MaxStreams is how many data connections a move can have at a time; their numbers are below.
const MaxStreams = 32

// A Token names one move: random, so that no connection can be taken for another's.
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

// A header is how a stream begins.
type header struct {
	kind   byte
	token  Token // of a data connection
	number uint8 // the same
}

// writeStreamHeader opens a stream towards the peer.
func writeStreamHeader(w io.Writer, h header) error {
	header := []byte{h.kind}
	if h.kind == kindData {
		header = append(append(header, h.token[:]...), h.number)
	}
	_, err := w.Write(header)
	return err
}

// readStreamHeader reads what the peer opened.
func readStreamHeader(r io.Reader) (h header, err error) {
	var b [len(h.token) + 1]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return h, fmt.Errorf("read stream header: %w", err)
	}
	h.kind = b[0]
	switch h.kind {
	case kindControl, kindRenewal:
	case kindData:
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return h, fmt.Errorf("read stream header: %w", err)
		}
		copy(h.token[:], b[:])
		if h.number = b[len(h.token)]; h.number >= MaxStreams {
			return h, fmt.Errorf("read stream header: a move has no stream %d", h.number)
		}
	default:
		return h, fmt.Errorf("read stream header: no such kind: %d", h.kind)
	}
	return h, nil
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
