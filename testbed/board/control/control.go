// Package control is the channel between a board's init and the host that started it: one
// TCP connection for each request.
//
// The host sends a Request as a line of JSON. To a command it may then send bytes, each the
// number of a signal for it; init answers with frames, the last of them a status. When the
// connection breaks, init kills the command.
package control

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Port is where init listens, TCP.
const Port = 7000

// Ready is the line on the console that says that init listens.
const Ready = "board: ready"

// A Request asks init for one thing; one field is set, Input apart.
type Request struct {
	Run      []string `json:"run,omitempty"`      // a command's arguments; [0] is its path
	Input    []byte   `json:"input,omitempty"`    // its standard input, all of it
	Time     int64    `json:"time,omitempty"`     // set the clock, ns since 1970
	PowerOff bool     `json:"poweroff,omitempty"` // no answer but the end
}

// maxRequest bounds the line of a Request, bytes.
const maxRequest = 1 << 20

// ReadRequest reads the first line of a connection.
func ReadRequest(r *bufio.Reader) (Request, error) {
	var req Request
	line, err := r.ReadSlice('\n')
	if err != nil {
		return req, fmt.Errorf("read a request: %w", err)
	}
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("read a request: %w", err)
	}
	return req, nil
}

// NewReader returns a reader with room for a Request.
func NewReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, maxRequest) }

// WriteRequest sends a request.
func WriteRequest(w io.Writer, req Request) error {
	line, err := json.Marshal(req)
	if err != nil {
		return err
	}
	if len(line) >= maxRequest {
		return errors.New("request is too long")
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// A Kind says what a frame carries.
type Kind uint8

const (
	Stdout Kind = 1
	Stderr Kind = 2
	Status Kind = 3 // four bytes, big-endian: exit status, 128 + signal
	Failed Kind = 4 // why the request could not be done; nothing follows
)

// A frame is a kind, a length of four bytes, big-endian, and the payload.
const (
	headerSize = 5
	maxPayload = 1 << 16
)

// WriteFrame sends payload in as many frames as it takes.
func WriteFrame(w io.Writer, kind Kind, payload []byte) error {
	for {
		n := min(len(payload), maxPayload)
		frame := append([]byte{byte(kind)}, binary.BigEndian.AppendUint32(nil, uint32(n))...)
		if _, err := w.Write(append(frame, payload[:n]...)); err != nil {
			return err
		}
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
	}
}

// ReadFrame reads one frame.
func ReadFrame(r io.Reader) (Kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, fmt.Errorf("read a frame: %w", err)
	}
	n := binary.BigEndian.Uint32(header[1:])
	if n > maxPayload {
		return 0, nil, fmt.Errorf("frame of %d bytes", n)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("read a frame of %d bytes: %w", n, err)
	}
	return Kind(header[0]), payload, nil
}
