package statexfer

import (
	"sync"
	"time"
)

// A chooser picks the codec of each batch. For Auto it goes by what counts in the end: the
// time from one batch having been written to the next, for a byte of memory, which has the
// compressor in it, the link, and a receiver that is slow to decompress. It uses one codec
// for a phase of batches, first each in turn, then the best, and now and then another.
type chooser struct {
	asked Codec

	mu      sync.Mutex
	phases  int               // begun
	current Codec             // of this phase
	left    int               // batches of this phase still to be picked
	cost    [Zstd + 1]float64 // smoothed seconds a byte of memory takes; 0 until measured
	last    time.Time         // when the batch before was written; zero at the start of a round
	written Codec             // codec of the batch before
	row     int               // batches written with it in a row
}

const (
	phaseLen = 8       // batches
	settle   = 3       // batches that a change takes to show: those buffered on both sides
	smooth   = 1.0 / 4 // weight of a new measurement
	retry    = 16      // every so many phases another codec than the best gets one
)

// tryFirst is the order of the first phases: what is never bad comes first, as a small
// transfer sees no more than that.
var tryFirst = [...]Codec{S2, None, Zstd}

// pick says how to compress the next batch.
func (c *chooser) pick() Codec {
	if c.asked != Auto {
		return c.asked
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		c.current, c.left = c.next(), phaseLen
		c.phases++
	}
	c.left--
	return c.current
}

// next picks the codec of a phase.
func (c *chooser) next() Codec {
	if c.phases < len(tryFirst) {
		return tryFirst[c.phases]
	}
	best := S2
	for codec := None; codec <= Zstd; codec++ {
		if c.cost[codec] != 0 && (c.cost[best] == 0 || c.cost[codec] < c.cost[best]) {
			best = codec
		}
	}
	if c.phases%retry == 0 {
		other := tryFirst[c.phases/retry%len(tryFirst)]
		if other != best {
			return other
		}
	}
	return best
}

// wrote notes that a batch of raw bytes, for which codec was picked, has been written.
func (c *chooser) wrote(codec Codec, raw int, now time.Time) {
	if c.asked != Auto {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if codec != c.written {
		c.written, c.row = codec, 0
	}
	c.row++
	if c.row > settle && !c.last.IsZero() {
		t := max(now.Sub(c.last).Seconds(), 1e-9) / float64(raw)
		if c.cost[codec] == 0 {
			c.cost[codec] = t
		}
		c.cost[codec] += (t - c.cost[codec]) * smooth
	}
	c.last = now
}

// pause says that the time until the next batch means nothing.
func (c *chooser) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Time{}
}
