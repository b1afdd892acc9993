package vmproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
)

// A message is a header, little-endian: its length (4 bytes), the number of descriptors that
// come with it (1 byte), three zero bytes; then the message in protobuf's encoding.
const (
	headerBytes = 8
	maxMessage  = 64 << 20
	maxFiles    = 4
)

// A conn carries messages and descriptors over a Unix socket.
type conn struct {
	c    *net.UnixConn
	over chan struct{} // closed when nothing that comes is acted on any more
	mu   sync.Mutex    // held while a message is written
	oob  [256]byte     // of the reader
	head [headerBytes]byte
}

func newConn(c *net.UnixConn) *conn { return &conn{c: c, over: make(chan struct{})} }

// send writes a message. The files stay the caller's.
func (c *conn) send(m proto.Message, files ...*os.File) error {
	b, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, headerBytes, 256), m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if n := len(b) - headerBytes; n > maxMessage {
		return fmt.Errorf("a message of %d bytes is too large", n)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-headerBytes))
	b[4] = byte(len(files))
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, _, err := c.c.WriteMsgUnix(b, oob, nil)
	if err == nil && n < len(b) { // descriptors went with the first byte
		_, err = c.c.Write(b[n:])
	}
	return err
}

// receive reads a message. Its files are the caller's.
func (c *conn) receive(m proto.Message) ([]*os.File, error) {
	var files []*os.File
	fail := func(err error) ([]*os.File, error) {
		closeAll(files)
		return nil, err
	}
	for got := 0; got < headerBytes; {
		n, oobn, _, _, err := c.c.ReadMsgUnix(c.head[got:], c.oob[:])
		if err == nil && n == 0 {
			err = io.EOF
		}
		if err != nil {
			return fail(err)
		}
		got += n
		more, err := parseRights(c.oob[:oobn])
		files = append(files, more...)
		if err != nil {
			return fail(err)
		}
	}
	size, count := binary.LittleEndian.Uint32(c.head[:]), int(c.head[4])
	if size > maxMessage || count != len(files) || count > maxFiles {
		return fail(fmt.Errorf("a message of %d bytes and %d descriptors, %d came", size, count, len(files)))
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(c.c, b); err != nil {
		return fail(err)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fail(fmt.Errorf("read message: %w", err))
	}
	return files, nil
}

func parseRights(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("read descriptors: %w", err)
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return files, fmt.Errorf("read descriptors: %w", err)
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// unixConn makes a connection of a socket's descriptor, which it takes over.
func unixConn(f *os.File) (*net.UnixConn, error) {
	defer f.Close() // FileConn has a copy
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("use socket: %w", err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("use socket: it is not a Unix socket")
	}
	return u, nil
}

// socketPair returns both ends of a stream, neither inherited by other processes.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "stream")
	if ours, err = unixConn(os.NewFile(uintptr(fds[0]), "stream")); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// memoryFile returns a file in memory with some content, for a process to map.
func memoryFile(name string, parts ...[]byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			f.Close()
			return nil, fmt.Errorf("fill a file in memory: %w", err)
		}
	}
	return f, nil
}

// mapFile maps all of a file for reading. It stays mapped for the life of the process.
func mapFile(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("map file: %w", err)
	}
	if info.Size() == 0 {
		return nil, nil
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map file: %w", err)
	}
	return b, nil
}
