package events

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// segments are the journal's files: lines of JSON, the older ones in previous. When current
// is full it becomes previous, so the two hold between one and two times segmentSize.
type segments struct {
	current, previous string // paths

	mu   sync.Mutex // held while files change places
	file *os.File   // current, to append to
	size int64
}

// segmentSize is when a file is full, bytes: some thousands of events.
const segmentSize = 1 << 20

// maxLine bounds an event as text, bytes; longer lines are none of ours.
const maxLine = 256 << 10

// open finds the newest event's number. A line that a crash has cut off is removed.
func (s *segments) open() (last uint64, err error) {
	s.file, err = os.OpenFile(s.current, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			s.file.Close()
		}
	}()
	if err := s.dropHalfLine(); err != nil {
		return 0, err
	}
	all, err := s.read(0)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1].Seq, nil
}

func (s *segments) dropHalfLine() error {
	text, err := os.ReadFile(s.current)
	if err != nil {
		return err
	}
	s.size = int64(bytes.LastIndexByte(text, '\n') + 1)
	return s.file.Truncate(s.size)
}

// append writes events behind those that are there.
func (s *segments) append(events []*pb.Event) error {
	if len(events) == 0 {
		return nil
	}
	var text bytes.Buffer
	for _, e := range events {
		line, err := protojson.Marshal(e)
		if err != nil {
			return err
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size >= segmentSize {
		if err := s.turn(); err != nil {
			return err
		}
	}
	n, err := s.file.Write(text.Bytes())
	if err != nil { // a line must not be continued by another
		return errors.Join(err, s.file.Truncate(s.size))
	}
	s.size += int64(n)
	return nil
}

// turn begins a new current file. s.mu is held.
func (s *segments) turn() error {
	if err := os.Rename(s.current, s.previous); err != nil {
		return err
	}
	file, err := os.OpenFile(s.current, os.O_RDWR|os.O_CREATE|os.O_APPEND|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.file.Close()
	s.file, s.size = file, 0
	return nil
}

// read returns the events after a number that are in the files.
func (s *segments) read(after uint64) ([]*pb.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*pb.Event
	for _, path := range []string{s.previous, s.current} {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = scan(f, func(e *pb.Event) {
			newest := after
			if len(all) > 0 {
				newest = all[len(all)-1].Seq
			}
			if e.Seq > newest {
				all = append(all, e)
			}
		})
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return all, nil
}

// scan calls f with each event of a file. A line that is none, written by a fault of the
// disk or by someone else, is passed over: the others are still true.
func scan(r io.Reader, f func(*pb.Event)) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	for in.Scan() {
		e := new(pb.Event)
		if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(in.Bytes(), e) == nil {
			f(e)
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return nil
	}
	return in.Err()
}

func (s *segments) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Close()
}
