package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// A dataName is that of a data connection.
type dataName struct {
	token  Token
	number uint8
}

// A data connection begins in the clear: these bytes, the move's token, and its number. What
// follows is between the processes of the VM. No TLS record begins so (RFC 8446, 5.1).
var preambleMagic = [4]byte{0xda, 'm', 'i', 'g'}

const preambleLen = len(preambleMagic) + len(Token{}) + 1

var (
	errNoPreamble = errors.New("a data connection begins wrongly")
	errNoMove     = errors.New("no move waits for that data connection")
)

// beginsAsData says whether a connection is one for data, by its first byte, which stays unread.
func beginsAsData(ctx context.Context, c *net.TCPConn) (bool, error) {
	defer until(ctx, c)()
	raw, err := c.SyscallConn()
	if err != nil {
		return false, err
	}
	var first [1]byte
	var n int
	readErr := raw.Read(func(fd uintptr) bool {
		n, _, err = unix.Recvfrom(int(fd), first[:], unix.MSG_PEEK)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	switch {
	case readErr != nil:
		return false, readErr
	case err != nil:
		return false, err
	case n == 0:
		return false, io.EOF
	}
	return first[0] == preambleMagic[0], nil
}

// until has reads of a connection end with ctx, until the function that it returns is called.
func until(ctx context.Context, c net.Conn) (stop func()) {
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		c.SetReadDeadline(time.Unix(1, 0)) // long ago
	})
	return func() {
		if !cancel() {
			<-done
		}
		c.SetReadDeadline(time.Time{})
	}
}

// readPreamble reads nothing behind it.
func readPreamble(r io.Reader) (dataName, error) {
	var b [preambleLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return dataName{}, fmt.Errorf("%w: %w", errNoPreamble, err)
	}
	if [4]byte(b[:4]) != preambleMagic {
		return dataName{}, errNoPreamble
	}
	n := dataName{Token(b[4:20]), b[20]}
	if n.number >= MaxStreams {
		return dataName{}, fmt.Errorf("%w: a move has no stream %d", errNoPreamble, n.number)
	}
	return n, nil
}

func writePreamble(w io.Writer, n dataName) error {
	b := append(preambleMagic[:], n.token[:]...)
	_, err := w.Write(append(b, n.number))
	return err
}
