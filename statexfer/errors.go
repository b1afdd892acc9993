package statexfer

import (
	"errors"
	"fmt"
)

// What can be wrong with a stream or with the memory given. A StreamError carries one.
var (
	ErrFormat    = errors.New("not a valid memory stream")
	ErrVersion   = errors.New("unsupported version of the memory stream")
	ErrGeometry  = errors.New("memory does not fit the stream")
	ErrTruncated = errors.New("memory stream ends too soon")
	ErrChecksum  = errors.New("checksum of a frame is wrong")
	ErrPageRange = errors.New("page number out of range")
	ErrDuplicate = errors.New("page sent twice in one round")
	ErrDigest    = errors.New("memory differs from the source's")
	ErrTrailing  = errors.New("data behind the end of the memory stream")
)

// A StreamError says where in a stream something was wrong.
type StreamError struct {
	Frame  uint32 // number of the frame, from 0
	Offset uint64 // bytes read before that frame
	Detail string // what was found; may be empty
	Err    error  // one of the errors above
}

func (e *StreamError) Error() string {
	s := fmt.Sprintf("memory frame %d at byte %d: %v", e.Frame, e.Offset, e.Err)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

func (e *StreamError) Unwrap() error { return e.Err }

// malformed is an error about a frame that does not know its place yet.
type malformed struct {
	err    error
	detail string
}

func (m *malformed) Error() string { return m.err.Error() + ": " + m.detail }
func (m *malformed) Unwrap() error { return m.err }

func bad(err error, format string, args ...any) error {
	return &malformed{err, fmt.Sprintf(format, args...)}
}
