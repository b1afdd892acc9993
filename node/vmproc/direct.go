package vmproc

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// The two processes of a move are as near to each other as the network lets them; by way of both
// daemons a word takes several times as long. So a source's process that may commit by itself tells
// the target's to start the guest, and daemons hear of it afterwards. The message is a text and for how
// long the guest has stood still by then, ns, 64 bits.
const startText = "migstart"

// readyText is what the target's process says before: its daemon has it ready to start the guest. A
// target whose process has all of memory, and whose daemon is dead or frozen, gets no guest.
const readyText = "migready"

// A starter starts a guest as the source's process says.
type starter struct {
	ready <-chan struct{}      // closed when the daemon has said what to start from
	now   func(left time.Time) // of a guest that left its stack then
}

// awaitReady returns when the target's process can start the guest.
func awaitReady(ctx context.Context, c net.Conn) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	var b [len(readyText)]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	if string(b[:]) != readyText {
		return fmt.Errorf("the target says %q instead of that it is ready", b)
	}
	return nil
}

func tellStart(w io.Writer, stopped time.Duration) error {
	_, err := w.Write(binary.LittleEndian.AppendUint64([]byte(startText), uint64(stopped)))
	return err
}

// awaitStart says when the target is ready, and returns when the source's process has the guest
// start, or has ended the stream: then it is for the daemons.
func awaitStart(c net.Conn, ready <-chan struct{}) (stopped time.Duration, ok bool) {
	var saying sync.WaitGroup
	defer saying.Wait()
	over := make(chan struct{})
	defer close(over)
	saying.Go(func() {
		select {
		case <-ready:
			_, _ = c.Write([]byte(readyText)) // a source that is gone hears of nothing
		case <-over:
		}
	})
	var b [len(startText) + 8]byte
	if _, err := io.ReadFull(c, b[:]); err != nil || string(b[:len(startText)]) != startText {
		return 0, false
	}
	return max(0, time.Duration(binary.LittleEndian.Uint64(b[len(startText):]))), true
}
