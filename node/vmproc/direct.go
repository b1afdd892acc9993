package vmproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/vmm"
)

// The two processes of a move are as near to each other as the network lets them; by way of both
// daemons a word takes several times as long. So a source's process that may commit by itself tells
// the target's to start the guest, and daemons hear of it afterwards. What the daemons have to do for
// that they do while the guest runs: the guest is not stopped before the target's process says that its
// daemon has it armed.
//
// Behind the end of memory comes how the guest left: a text, the length of an AtRest, 32 bits, its
// XXH64, and the AtRest. Then, once all is in place, a text and for how long the guest has stood still
// by then, ns, 64 bits.
const (
	restText   = "migleft\n"
	startText  = "migstart"
	restHdrLen = len(restText) + 4 + 8

	// maxAtRest bounds it: what is large in it is input that the guest has not read.
	maxAtRest = 1 << 20
)

// A director is what a source's process has the target's start the guest by.
type director struct {
	atRest func(*vmm.Left) *pb.AtRest
	commit func(*pb.Sent) bool // false: it may not, and the daemons see to the rest
}

// A starter starts a guest as the source's process says.
type starter struct {
	ready <-chan struct{}        // closed when the daemon has armed it
	comes func(*pb.AtRest) error // what it is to start from
	now   func(left time.Time)   // of a guest that left its stack then
}

// announce says to the source when the target is ready. The result ends that.
func announce(c net.Conn, ready <-chan struct{}) (stop func()) {
	var saying sync.WaitGroup
	over := make(chan struct{})
	saying.Go(func() {
		select {
		case <-ready:
			_ = live.SayArmed(c) // a source that is gone hears of nothing
		case <-over:
		}
	})
	return func() {
		close(over)
		saying.Wait()
	}
}

func appendAtRest(b []byte, a *pb.AtRest) []byte {
	body, err := proto.Marshal(a)
	if err != nil {
		body = nil // of no text that is not UTF-8, so it cannot be; and the target refuses it
	}
	b = append(b, restText...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(body))
	return append(b, body...)
}

// readAtRest returns nil where the stream ends instead: the daemons say it then.
func readAtRest(r io.Reader) (*pb.AtRest, error) {
	var hdr [restHdrLen]byte
	if n, err := io.ReadFull(r, hdr[:]); err != nil && n == 0 {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read how the guest left: %w", err)
	}
	n := binary.LittleEndian.Uint32(hdr[len(restText):])
	if string(hdr[:len(restText)]) != restText || n > maxAtRest {
		return nil, fmt.Errorf("what follows memory begins with %q: not how the guest left", hdr)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read how the guest left: %w", err)
	}
	if xxhash.Sum64(body) != binary.LittleEndian.Uint64(hdr[len(restText)+4:]) {
		return nil, errors.New("how the guest left has arrived changed")
	}
	a := new(pb.AtRest)
	if err := proto.Unmarshal(body, a); err != nil {
		return nil, fmt.Errorf("read how the guest left: %w", err)
	}
	return a, nil
}

func tellStart(w io.Writer, stopped time.Duration) error {
	_, err := w.Write(binary.LittleEndian.AppendUint64([]byte(startText), uint64(stopped)))
	return err
}

// awaitStart returns when the source's process has the guest start, or has ended the stream: then it is
// for the daemons.
func awaitStart(r io.Reader) (stopped time.Duration, ok bool) {
	var b [len(startText) + 8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil || string(b[:len(startText)]) != startText {
		return 0, false
	}
	return max(0, time.Duration(binary.LittleEndian.Uint64(b[len(startText):]))), true
}
