package console

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A segment is the part of a log from one stay, in a file of its own, which is open as long
// as the stay is not complete. Its fields belong to the log's lock.
type segment struct {
	path       string
	generation uint32
	base       int64 // offset in the log of the file's first byte
	size       int64 // of the file
	end        int64 // offset in the log where the stay ended; -1 while it goes on
	file       *os.File
}

// openSegment opens or makes the file of a stay, and cuts off a frame that a crash tore.
func openSegment(path string, generation uint32, base int64) (*segment, error) {
	s, err := openLive(path, generation, base)
	if err != nil {
		return nil, err
	}
	if err := s.mend(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// openLive opens the file of a stay without a look at what is in it.
func openLive(path string, generation uint32, base int64) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &segment{path: path, generation: generation, base: base, end: -1, file: f}, nil
}

// mend takes up the whole frames of the file, and cuts off what is behind them.
func (s *segment) mend() error {
	size, err := wholeSize(s.file)
	if err == nil {
		err = s.file.Truncate(size)
	}
	if err != nil {
		return fmt.Errorf("mend log: %w", err)
	}
	s.size = size
	return nil
}

// wholeSize is the length of the whole frames of a file.
func wholeSize(f *os.File) (int64, error) {
	var pos int64
	buf := make([]byte, 16*maxFrame)
	for {
		n, err := f.ReadAt(buf, pos)
		if err != nil && err != io.EOF {
			return 0, err
		}
		whole, ferr := WholeFrames(buf[:n])
		if ferr != nil {
			return 0, ferr
		}
		pos += int64(whole)
		if whole == 0 {
			return pos, nil
		}
	}
}

// append writes frames at the end of the file.
func (s *segment) append(frames []byte) error {
	n, err := s.file.WriteAt(frames, s.size)
	if err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	s.size += int64(n)
	return nil
}

// grow takes up what was appended by somebody else.
func (s *segment) grow(end int64) error {
	if s.file == nil || s.end >= 0 {
		return fmt.Errorf("log of stay %d has ended", s.generation)
	}
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	if s.base+info.Size() < end {
		return fmt.Errorf("log of stay %d is said to go up to %d, and has %d", s.generation, end, s.base+info.Size())
	}
	s.size = end - s.base
	return nil
}

// next is the offset in the log behind what the file holds.
func (s *segment) next() int64 { return s.base + s.size }

// complete says whether the file holds all of a stay that is over.
func (s *segment) complete() bool { return s.end >= 0 && s.next() == s.end }

// read returns whole frames from an offset in the log; none where the file ends.
func (s *segment) read(offset int64) ([]byte, error) {
	n := min(s.next()-offset, 4*maxFrame)
	if n <= 0 {
		return nil, nil
	}
	buf := make([]byte, n)
	f := s.file
	if f == nil {
		var err error
		if f, err = os.Open(s.path); err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		defer f.Close()
	}
	if _, err := f.ReadAt(buf, offset-s.base); err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	whole, err := WholeFrames(buf)
	if err != nil {
		return nil, fmt.Errorf("read log at %d: %w", offset, err)
	}
	if whole == 0 {
		return nil, fmt.Errorf("read log at %d: %w", offset, errors.New("not at a frame's beginning"))
	}
	return buf[:whole], nil
}

// settle closes the file of a stay that is complete: a VM may have made very many.
func (s *segment) settle() error {
	if !s.complete() {
		return nil
	}
	return s.close()
}

func (s *segment) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// reopen takes back that the stay is over.
func (s *segment) reopen() error {
	s.end = -1
	if s.file != nil {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	s.file = f
	return nil
}
