package events

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Journal keeps the last events of a node. An event is on its way to the disk when Add
// returns, and not waited for: one that happens in the middle of a move must not prolong
// it. What the daemon was told outlives a crash of the daemon, not one of the machine.
type Journal struct {
	segments segments

	mu      sync.Mutex
	last    uint64        // seq of the newest
	recent  []*pb.Event   // the newest, the oldest of them first, and all that are pending
	pending int           // of recent, how many are not in a segment yet
	changed chan struct{} // closed and replaced by Add
	wake    chan struct{} // has something while the writer has work
	closing chan struct{}
	written chan struct{} // closed when the writer has ended
	broken  bool          // the last write has failed
	failed  func(error)
}

// recentEvents bounds what is kept in memory: followers live on it.
const recentEvents = 256

// maxReason bounds the text of an event, bytes: some of it comes from peers.
const maxReason = 4 << 10

// Open opens or makes the journal in a directory. failed is told when events can no longer
// be written; those are forgotten when the daemon ends.
func Open(dir string, failed func(error)) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of events: %w", err)
	}
	j := &Journal{
		segments: segments{current: filepath.Join(dir, "events.jsonl"), previous: filepath.Join(dir, "events.1.jsonl")},
		changed:  make(chan struct{}),
		wake:     make(chan struct{}, 1),
		closing:  make(chan struct{}),
		written:  make(chan struct{}),
		failed:   failed,
	}
	var err error
	if j.last, err = j.segments.open(); err != nil {
		return nil, fmt.Errorf("open the journal of events: %w", err)
	}
	go j.write()
	return j, nil
}

// Add takes an event, and gives it its number and its time.
func (j *Journal) Add(e *pb.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e.Seq, e.Time = j.last, timestamppb.Now()
	if len(e.Reason) > maxReason {
		e.Reason = strings.ToValidUTF8(e.Reason[:maxReason], "") + "..."
	}
	j.recent = append(j.recent, proto.CloneOf(e))
	j.pending++
	if old := len(j.recent) - max(recentEvents, j.pending); old > 0 {
		j.recent = append(j.recent[:0:0], j.recent[old:]...) // readers hold the array
	}
	close(j.changed)
	j.changed = make(chan struct{})
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// write brings events to the disk, many at a time where they come fast.
func (j *Journal) write() {
	defer close(j.written)
	for {
		select {
		case <-j.wake:
			j.flush()
		case <-j.closing:
			j.flush()
			return
		}
	}
}

func (j *Journal) flush() {
	j.mu.Lock()
	batch := append([]*pb.Event(nil), j.recent[len(j.recent)-j.pending:]...)
	j.mu.Unlock()
	err := j.segments.append(batch)
	j.mu.Lock()
	j.pending -= len(batch)
	news := err != nil && !j.broken
	j.broken = err != nil
	j.mu.Unlock()
	if news && j.failed != nil {
		j.failed(fmt.Errorf("keep events: %w", err))
	}
}

// Read calls f with each event whose number is greater than after, in order. With follow it
// goes on with those to come, until the context ends or the journal is closed.
func (j *Journal) Read(ctx context.Context, after uint64, follow bool, f func(*pb.Event) error) error {
	for {
		events, changed, err := j.since(after)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f(e); err != nil {
				return err
			}
			after = e.Seq
		}
		if len(events) > 0 {
			continue
		}
		if !follow {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-j.closing:
			return nil
		}
	}
}

// Last is the number of the newest event.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// since returns events after a number, and a channel that is closed by the next one.
func (j *Journal) since(after uint64) ([]*pb.Event, <-chan struct{}, error) {
	j.mu.Lock()
	recent, changed := j.recent, j.changed
	j.mu.Unlock()
	if len(recent) > 0 && recent[0].Seq <= after+1 {
		return recent[min(uint64(len(recent)), after+1-recent[0].Seq):], changed, nil
	}
	if len(recent) == 0 && after >= j.Last() {
		return nil, changed, nil
	}
	kept, err := j.segments.read(after)
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal of events: %w", err)
	}
	// What was added meanwhile, or cannot be written, is in memory alone.
	for _, e := range recent {
		if e.Seq > after && (len(kept) == 0 || e.Seq > kept[len(kept)-1].Seq) {
			kept = append(kept, e)
		}
	}
	return kept, changed, nil
}

// Close writes what is left.
func (j *Journal) Close() error {
	close(j.closing)
	<-j.written
	return j.segments.close()
}
