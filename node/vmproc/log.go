package vmproc

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/migrated/migrated/node/console"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// logRetry is how long a full disk is waited for before the next attempt.
const logRetry = 100 * time.Millisecond

// A logWriter appends what the guest prints to its log, so that nothing is lost whatever
// becomes of the daemon. A disk that is full makes the guest wait.
type logWriter struct {
	child *child
	quit  chan struct{} // closed: give up what cannot be written
	free  chan struct{} // closed: what the guest prints may be written

	mu    sync.Mutex
	file  *os.File
	base  int64 // offset in the VM's log of the file's first byte
	size  int64 // of the file
	frame []byte
	once  sync.Once
	loose sync.Once
}

func (l *logWriter) init(c *child) {
	l.child, l.quit, l.free = c, make(chan struct{}), make(chan struct{})
}

// open takes a file over; what is in it belongs to the stay. With hold nothing is written to it
// before release.
func (l *logWriter) open(f *os.File, base int64, hold bool) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.base, l.size = f, base, info.Size()
	if !hold {
		l.release()
	}
	return nil
}

// rebase says where in the VM's log a file begins of which that was not known.
func (l *logWriter) rebase(base int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = base
}

func (l *logWriter) release() { l.loose.Do(func() { close(l.free) }) }

// held says whether what the guest prints waits for release.
func (l *logWriter) held() bool {
	l.mu.Lock()
	armed := l.file != nil
	l.mu.Unlock()
	select {
	case <-l.free:
		return false
	default:
		return armed
	}
}

// write appends frames. It returns when they are written, or never will be.
func (l *logWriter) write(stream vmm.Stream, p []byte) {
	l.mu.Lock()
	l.frame = console.AppendFrames(l.frame[:0], stream, p)
	frames, file, at := l.frame, l.file, l.size
	l.mu.Unlock()
	if file == nil {
		return // a guest that was not armed has not run
	}
	select {
	case <-l.free:
	case <-l.quit:
		return
	}
	troubled := false
	for {
		// At the same place until all is there: a part of it is no part of the log.
		_, err := file.WriteAt(frames, at)
		if err == nil {
			break
		}
		if !troubled {
			troubled = true
			l.trouble(fmt.Sprintf("the program waits: its output cannot be written: %v", err))
		}
		select {
		case <-time.After(logRetry):
		case <-l.quit:
			return
		}
	}
	if troubled {
		l.trouble("")
	}
	l.mu.Lock()
	l.size = at + int64(len(frames))
	end := l.base + l.size
	l.mu.Unlock()
	l.child.tell(&pb.FromVM{Message: &pb.FromVM_Output{Output: &pb.ProcessOutput{LogEnd: end}}})
}

func (l *logWriter) trouble(text string) {
	l.child.tell(&pb.FromVM{Message: &pb.FromVM_Trouble{Trouble: &pb.ProcessTrouble{Text: text}}})
}

// end is the offset in the VM's log behind what was written.
func (l *logWriter) end() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base + l.size
}

// close gives up what cannot be written.
func (l *logWriter) close() {
	l.once.Do(func() { close(l.quit) })
}
