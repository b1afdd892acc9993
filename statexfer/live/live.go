// Package live moves the memory of a guest that runs meanwhile, by whichever way suits it. It
// knows pages, streams and the time that things take; what logs a guest's writes, slows it
// down and stops it is given to it.
//
// The two sides share a stream in both directions. The target says what it has already
// (statexfer.Offer), the source sends memory (statexfer.Sender), and the target acknowledges
// each round when it is in place: so the time that a round takes is known, and not only the
// time until the network has taken it.
package live

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// A Mode is a way to move memory.
type Mode uint8

const (
	Auto     Mode = iota // chosen by size, dirty rate, link and the downtime asked for
	Stop                 // stop the guest, send all, resume
	PreCopy              // send all while it runs, then what it wrote, until little is left
	PostCopy             // resume at once, send what it touches and then the rest
	Hybrid               // one round of pre-copy, then post-copy
)

var modeNames = [...]string{Auto: "auto", Stop: "stop", PreCopy: "precopy", PostCopy: "postcopy", Hybrid: "hybrid"}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// NeedsBoth says whether a guest depends on both sides for a while after such a move.
func (m Mode) NeedsBoth() bool { return m == PostCopy || m == Hybrid }

// ParseMode is the inverse of String, for options that people give.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("unknown mode %q: use auto, stop, precopy, postcopy or hybrid", s)
}

// A Guest is what a source needs of the guest. Dirty adds to a set what was written since
// LogDirty(true) or the last Dirty, perhaps more. Quiesce stops the guest; on an error it runs.
type Guest interface {
	Memory() []byte
	LogDirty(on bool) error
	Dirty(set []uint64) error
	Throttle(share float64)
	Quiesce(ctx context.Context) error
}

// A Plan says what an operator wants of a move. The zero value of a field is its default.
type Plan struct {
	Mode        Mode
	MaxDowntime time.Duration // 30 ms
	Compress    statexfer.Codec
	Bandwidth   uint64 // bytes a second at most; 0: what the link takes

	// PostCopy says that the target can fill memory on demand, and that the guest may depend on
	// both nodes for a while.
	PostCopy bool
	// Fixed is what stopping and starting take whatever the memory: time to leave the stack,
	// round trips, journals.
	Fixed time.Duration
	// Link is what went to the target in an earlier move, bytes of memory a second; 0: not known.
	Link float64

	// Ahead is closed when post-copy's streams are open, which the guest runs on for if that does
	// not take long; nil: they are opened later.
	Ahead <-chan struct{}

	// Hashes says that the hash of each page follows the transfer, as an offer.
	Hashes bool

	// Confirm says that the target has the end of the transfer confirmed, as its options say.
	Confirm bool
	// Arm asks the target to get ready to start the guest, which is not stopped before the target says
	// that it is (SayArmed); nil: nobody waits for that.
	Arm func()
	// Behind is what goes behind the end of the transfer, once the guest stands still; nil: nothing.
	Behind func() []byte

	// Known is what memory was when it came here, if it did: the target may have it still.
	Known *statexfer.Offer

	PageMap *os.File // /proc/self/pagemap; nil: it is opened
}

const (
	defaultDowntime = 30 * time.Millisecond
	defaultLink     = 100e6
)

func (p Plan) withDefaults() Plan {
	if p.MaxDowntime <= 0 {
		p.MaxDowntime = defaultDowntime
	}
	return p
}

// carries is what the link is thought to carry before it is measured, and whether that was seen.
func (p Plan) carries() (rate float64, seen bool) {
	rate, seen = p.Link, p.Link > 0
	if !seen {
		rate = defaultLink
	}
	if p.Bandwidth > 0 {
		rate = min(rate, float64(p.Bandwidth))
	}
	return rate, seen
}

// A Progress says how far a move is.
type Progress struct {
	Memory           statexfer.Stats
	Mode             Mode          // as chosen until now
	Why              string        // it was chosen
	Rate             float64       // bytes a second on the wire, in the last round
	Remaining        uint64        // pages that are known to be missing
	DirtyRate        float64       // pages a second that the guest writes
	ExpectedDowntime time.Duration // were it stopped now
	Throttle         float64       // share of the time in which it is held back
}

// A Result is what a source has sent when the guest is stopped.
type Result struct {
	Progress
	Digest [32]byte
	Later  statexfer.Bitmap // pages left to post-copy; nil: none
	Leaves []uint64         // hash of each page at the target
	Link   float64          // bytes of memory a second that went there; 0: too few to tell
}
