// Package console holds what a VM says and hears: its log, which is one stream of frames
// wherever the VM has been, and its standard input.
package console

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/migrated/migrated/vmm"
)

// A log is a row of frames like those of the guest's output ring (host_abi.h): a
// little-endian uint32, stream << 24 | n, and n bytes. Offsets count frame headers too.
const (
	headerSize = 4
	maxPayload = 0x4000
	maxFrame   = headerSize + maxPayload
)

var errFrame = errors.New("not a frame of a log")

// AppendFrames puts what a guest wrote into frames.
func AppendFrames(dst []byte, stream vmm.Stream, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), maxPayload)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(stream)<<24|uint32(n))
		dst = append(dst, p[:n]...)
		p = p[n:]
	}
	return dst
}

// header reads the header of a frame.
func header(b []byte) (stream vmm.Stream, n int, err error) {
	h := binary.LittleEndian.Uint32(b)
	stream, n = vmm.Stream(h>>24), int(h&0xffffff)
	if (stream != vmm.Stdout && stream != vmm.Stderr) || n == 0 || n > maxPayload {
		return 0, 0, fmt.Errorf("%w: header %#x", errFrame, h)
	}
	return stream, n, nil
}

// WholeFrames returns the length of the frames at the beginning of b that are whole.
func WholeFrames(b []byte) (int, error) {
	whole := 0
	for len(b)-whole >= headerSize {
		_, n, err := header(b[whole:])
		if err != nil {
			return 0, err
		}
		if len(b)-whole < headerSize+n {
			break
		}
		whole += headerSize + n
	}
	return whole, nil
}

// Each calls f for each frame of b, which must be whole frames.
func Each(b []byte, f func(stream vmm.Stream, p []byte) error) error {
	if whole, err := WholeFrames(b); err != nil {
		return err
	} else if whole != len(b) {
		return fmt.Errorf("%w: cut off", errFrame)
	}
	for len(b) > 0 {
		stream, n, err := header(b)
		if err != nil {
			return err
		}
		if err := f(stream, b[headerSize:headerSize+n]); err != nil {
			return err
		}
		b = b[headerSize+n:]
	}
	return nil
}
