package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(dir, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func add(j *Journal, n int) {
	for range n {
		j.Add(&pb.Event{Kind: pb.EventKind_EVENT_KIND_VM_STARTED, Vm: strings.Repeat("a", 32), VmName: "vm"})
	}
}

// read returns the numbers of the events after one.
func read(t *testing.T, j *Journal, after uint64) []uint64 {
	t.Helper()
	var all []uint64
	err := j.Read(t.Context(), after, false, func(e *pb.Event) error {
		if e.Time.AsTime().Year() < 2000 || e.VmName != "vm" {
			t.Errorf("event %v", e)
		}
		all = append(all, e.Seq)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// expect checks that numbers are those from first to last without a gap.
func expect(t *testing.T, got []uint64, first, last uint64) {
	t.Helper()
	if len(got) == 0 || got[0] != first || got[len(got)-1] != last || uint64(len(got)) != last-first+1 {
		t.Fatalf("%d events, want those from %d to %d: %v", len(got), first, last, got)
	}
}

func TestJournalOutlivesTheDaemon(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	add(j, 3)
	expect(t, read(t, j, 0), 1, 3)
	expect(t, read(t, j, 2), 3, 3)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	defer j.Close()
	expect(t, read(t, j, 0), 1, 3)
	add(j, 2*recentEvents)
	expect(t, read(t, j, 0), 1, 3+2*recentEvents)
	if rest := read(t, j, 3+2*recentEvents); len(rest) != 0 {
		t.Errorf("behind the last there are %v", rest)
	}
}

// TestHalfLine: a crash in the middle of a write loses that event alone, and what is no
// event is passed over.
func TestHalfLine(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	add(j, 2)
	j.Close()
	path := filepath.Join(dir, "events.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	damaged := bytes.Join([][]byte{lines[0], []byte("{}}\n"), lines[1][:len(lines[1])/2]}, nil)
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	add(j, 1)
	j.Close()
	j = open(t, dir)
	defer j.Close()
	expect(t, read(t, j, 0), 1, 2)
}

// TestBounded: the files stop growing, and the newest events are the ones that are kept.
func TestBounded(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	defer j.Close()
	const n = 40
	for range n {
		j.Add(&pb.Event{VmName: "vm", Reason: strings.Repeat("x", 2*maxReason)})
	}
	for i := range 100 {
		j.Add(&pb.Event{VmName: "vm", Address: strings.Repeat("y", 100<<10)})
		if i%4 == 0 {
			flushed(t, j)
		}
	}
	flushed(t, j)
	size := int64(0)
	for _, name := range []string{"events.jsonl", "events.1.jsonl"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size < segmentSize || size > 4*segmentSize {
		t.Errorf("the files have %d bytes", size)
	}
	got, err := j.segments.read(0)
	if err != nil || len(got) == 0 {
		t.Fatalf("read: %v", err)
	}
	if first, last := got[0].Seq, got[len(got)-1].Seq; first <= n || last != n+100 {
		t.Errorf("events %d to %d are kept", first, last)
	}
}

// flushed waits until all is in the files.
func flushed(t *testing.T, j *Journal) {
	t.Helper()
	for {
		j.mu.Lock()
		pending := j.pending
		j.mu.Unlock()
		if pending == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFollow(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	add(j, 2)
	ctx, cancel := context.WithCancelCause(t.Context())
	var got []uint64
	enough := errors.New("enough")
	err := j.Read(ctx, 0, true, func(e *pb.Event) error {
		got = append(got, e.Seq)
		switch {
		case len(got) < 9: // with the two that were there, ten in all
			go add(j, 1)
		case len(got) == 10:
			cancel(enough)
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("following ended with %v", err)
	}
	expect(t, got, 1, 10)
}

// TestDiskFull: events that cannot be written are still told as long as the daemon runs, and
// that they cannot is said once.
func TestDiskFull(t *testing.T) {
	said := make(chan error, 10)
	j, err := Open(t.TempDir(), func(err error) { said <- err })
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	j.segments.mu.Lock()
	j.segments.file.Close()
	j.segments.file = full
	j.segments.mu.Unlock()
	add(j, 1)
	if err := <-said; !strings.Contains(err.Error(), "no space left") {
		t.Errorf("it says %v", err)
	}
	for range 5 {
		add(j, 1)
		flushed(t, j)
	}
	if len(said) > 0 {
		t.Errorf("it says so again: %v", <-said)
	}
	expect(t, read(t, j, 0), 1, 6)
	j.Close()
}

func TestNames(t *testing.T) {
	for number := range pb.EventKind_name {
		if _, ok := kinds[pb.EventKind(number)]; !ok && number != 0 {
			t.Errorf("%v has no text for the log", pb.EventKind(number))
		}
	}
	if got := Kind(pb.EventKind_EVENT_KIND_MOVE_IN_DOUBT); got != "move-in-doubt" {
		t.Errorf("kind %q", got)
	}
	if got := Phase(pb.MovePhase_MOVE_PHASE_TRANSFER) + Phase(0); got != "transfer" {
		t.Errorf("phase %q", got)
	}
}

func TestLog(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	Log(log, &pb.Event{
		Kind: pb.EventKind_EVENT_KIND_MOVE_DONE, VmName: "lua", Move: "0a0b", From: "a", To: "b",
		Account: &pb.Move{Downtime: durationpb.New(5e6)},
	})
	for _, want := range []string{`msg="VM moved"`, "vm=lua", "move=0a0b", "from=a", "to=b", "downtime=5ms"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s lacks %s", b.String(), want)
		}
	}
}

// FuzzScan: a file of anything is read without a crash, and its events can be written again.
func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"seq":"1","kind":"EVENT_KIND_VM_STARTED","vmName":"x"}` + "\n"))
	f.Add([]byte("{}\n\n{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var all []*pb.Event
		if err := scan(bytes.NewReader(b), func(e *pb.Event) { all = append(all, e) }); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(t.TempDir(), "events"))
		if err != nil {
			t.Fatal(err)
		}
		s := segments{current: file.Name(), file: file}
		defer s.close()
		if err := s.append(all); err != nil {
			t.Fatal(err)
		}
		again := 0
		written, err := os.ReadFile(file.Name())
		if err == nil {
			err = scan(bytes.NewReader(written), func(*pb.Event) { again++ })
		}
		if err != nil || again != len(all) {
			t.Fatal(fmt.Errorf("%d events of %d come back: %w", again, len(all), err))
		}
	})
}
