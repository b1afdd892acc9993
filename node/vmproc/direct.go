package vmproc

import (
	"encoding/binary"
	"io"
	"time"
)

// The two processes of a move are as near to each other as the network lets them; by way of both
// daemons a word takes several times as long. So a source's process that may commit by itself tells
// the target's to start the guest, and daemons hear of it afterwards. The message is a text and for how
// long the guest has stood still by then, ns, 64 bits.
const startText = "migstart"

func tellStart(w io.Writer, stopped time.Duration) error {
	_, err := w.Write(binary.LittleEndian.AppendUint64([]byte(startText), uint64(stopped)))
	return err
}

// awaitStart returns when the source's process has said so, or has ended the stream: then it is for
// the daemons.
func awaitStart(r io.Reader) (stopped time.Duration, ok bool) {
	var b [len(startText) + 8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil || string(b[:len(startText)]) != startText {
		return 0, false
	}
	return max(0, time.Duration(binary.LittleEndian.Uint64(b[len(startText):]))), true
}
