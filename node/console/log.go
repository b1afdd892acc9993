package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// A Log is the output of one VM: the segments of its stays, one behind the other. On the
// VM's home these are all stays; elsewhere, the one that was there.
type Log struct {
	dir string

	mu       sync.Mutex
	segments []*segment // by base
	ended    bool       // no segment follows the last one
	changed  chan struct{}
}

// Open returns the log kept in a directory, which it makes. Segments are not opened until
// Begin says where they belong.
func Open(dir string) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &Log{dir: dir, changed: make(chan struct{})}, nil
}

// Begin adds the segment of a stay that begins at an offset of the log, with what an
// earlier daemon may have left of it.
func (l *Log) Begin(generation uint32, base int64) error {
	return l.begin(generation, base, openSegment)
}

func (l *Log) begin(generation uint32, base int64, open func(string, uint32, int64) (*segment, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if s.generation == generation {
			return fmt.Errorf("stay %d has its log already", generation)
		}
	}
	if n := len(l.segments); n > 0 && (l.segments[n-1].end < 0 || l.segments[n-1].end > base) {
		return fmt.Errorf("log of stay %d begins at %d, that before it ends at %d",
			generation, base, l.segments[n-1].end)
	}
	s, err := open(l.path(generation), generation, base)
	if err != nil {
		return err
	}
	l.segments = append(l.segments, s)
	l.notify()
	return nil
}

// BeginLive is Begin for a stay whose guest may be appending at this moment: Grow says how
// far it has come, or Mend looks.
func (l *Log) BeginLive(generation uint32, base int64) error {
	return l.begin(generation, base, openLive)
}

func (l *Log) path(generation uint32) string {
	return filepath.Join(l.dir, strconv.FormatUint(uint64(generation), 10)+".log")
}

// Kept says whether an earlier daemon left the log of a stay that Begin would take up.
func (l *Log) Kept(generation uint32) bool {
	_, err := os.Stat(l.path(generation))
	return err == nil
}

// Next is the offset behind what is there of a stay's log.
func (l *Log) Next(generation uint32) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return 0, err
	}
	return s.next(), nil
}

// Append adds frames to a stay's log; offset must be Next.
func (l *Log) Append(generation uint32, offset int64, frames []byte) error {
	if whole, err := WholeFrames(frames); err != nil {
		return err
	} else if whole != len(frames) {
		return fmt.Errorf("%w: cut off", errFrame)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return err
	}
	if len(frames) == 0 {
		return nil
	}
	if offset != s.next() {
		return fmt.Errorf("log of stay %d goes on at %d, not %d", generation, s.next(), offset)
	}
	if s.end >= 0 && offset+int64(len(frames)) > s.end {
		return fmt.Errorf("log of stay %d ends at %d", generation, s.end)
	}
	if err := s.append(frames); err != nil {
		return err
	}
	l.notify()
	return s.settle()
}

// Write adds frames at the end of a stay's log.
func (l *Log) Write(generation uint32, frames []byte) error {
	next, err := l.Next(generation)
	if err != nil {
		return err
	}
	return l.Append(generation, next, frames)
}

// File returns the file of a stay that goes on, for its guest to append to.
func (l *Log) File(generation uint32) (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// Create makes the file of a stay that has not begun yet, for its guest to append to. Begin takes
// it up, Discard deletes it.
func (l *Log) Create(generation uint32) (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.find(generation); err == nil {
		return nil, fmt.Errorf("stay %d has its log already", generation)
	}
	f, err := os.OpenFile(l.path(generation), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// Discard deletes the file of a stay that never began.
func (l *Log) Discard(generation uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.find(generation); err == nil {
		return fmt.Errorf("stay %d has begun", generation)
	}
	if err := os.Remove(l.path(generation)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete log: %w", err)
	}
	return nil
}

// Grow says that a stay's guest has appended to its file, up to an offset of the log.
func (l *Log) Grow(generation uint32, end int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return err
	}
	if end <= s.next() {
		return nil // it is known
	}
	if err := s.grow(end); err != nil {
		return err
	}
	l.notify()
	return nil
}

// Mend takes up what is in a stay's file where its guest died while it appended to it.
func (l *Log) Mend(generation uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return err
	}
	if s.file == nil {
		return nil
	}
	if err := s.mend(); err != nil {
		return err
	}
	l.notify()
	return nil
}

// Finish says where a stay's log ends; what is missing up to there may still be appended.
func (l *Log) Finish(generation uint32, end int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return err
	}
	if s.end >= 0 && s.end != end || end < s.next() {
		return fmt.Errorf("log of stay %d cannot end at %d: it has %d", generation, end, s.next())
	}
	s.end = end
	l.notify()
	return s.settle()
}

// Reopen takes Finish back, where a stay goes on after all.
func (l *Log) Reopen(generation uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return err
	}
	return s.reopen()
}

// Complete says whether all of a stay's log is there.
func (l *Log) Complete(generation uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	return err == nil && s.complete()
}

// End says that no stay follows.
func (l *Log) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.notify()
}

// Read returns whole frames from an offset, which must be where a frame begins. At the end
// of what is there it waits if follow is set, and else returns io.EOF; io.EOF too at the
// end of a log that has ended.
func (l *Log) Read(ctx context.Context, offset int64, follow bool) ([]byte, error) {
	for {
		frames, changed, err := l.tryRead(offset)
		if err != nil || len(frames) > 0 {
			return frames, err
		}
		if !follow {
			return nil, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// ReadStay is Read for the log of one stay: io.EOF where it is complete.
func (l *Log) ReadStay(ctx context.Context, generation uint32, offset int64) ([]byte, error) {
	for {
		l.mu.Lock()
		s, err := l.find(generation)
		changed := l.changed
		var frames []byte
		if err == nil && offset < s.base {
			err = fmt.Errorf("log of stay %d begins at %d", generation, s.base)
		}
		if err == nil {
			frames, err = s.read(offset)
		}
		if err == nil && len(frames) == 0 && s.complete() {
			err = io.EOF
		}
		l.mu.Unlock()
		if err != nil || len(frames) > 0 {
			return frames, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Drop deletes a stay's log, if there is one.
func (l *Log) Drop(generation uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.find(generation)
	if err != nil {
		return nil
	}
	l.segments = slices.DeleteFunc(l.segments, func(o *segment) bool { return o == s })
	l.notify()
	return errors.Join(s.close(), os.Remove(s.path))
}

// Empty says whether there is no stay's log.
func (l *Log) Empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.segments) == 0
}

func (l *Log) tryRead(offset int64) ([]byte, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var last *segment
	for _, s := range l.segments {
		if offset < s.base {
			break
		}
		last = s
		if s.end < 0 || offset < s.end {
			frames, err := s.read(offset)
			if err != nil || len(frames) > 0 {
				return frames, nil, err
			}
			break
		}
	}
	if n := len(l.segments); l.ended && n > 0 && last == l.segments[n-1] && last.complete() && offset >= last.end {
		return nil, nil, io.EOF
	}
	return nil, l.changed, nil
}

// Close closes the files; the log's readers are told that it is over.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.close())
	}
	l.segments = nil
	l.ended = true
	l.notify()
	return errors.Join(errs...)
}

// Remove closes the log and deletes its files.
func (l *Log) Remove() error {
	return errors.Join(l.Close(), os.RemoveAll(l.dir))
}

func (l *Log) find(generation uint32) (*segment, error) {
	for _, s := range l.segments {
		if s.generation == generation {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no log of stay %d", generation)
}

// notify wakes readers; l.mu is held.
func (l *Log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
