package statexfer

import (
	"sync"
	"time"
)

// A chooser picks the method of each batch. For Auto it goes by what counts in the end: the
// time from one batch having been written to the next, for a byte of memory, which has the
// compressor in it, the link, and a receiver that is slow to decompress. It uses one method for
// a phase of batches: at first each in turn, then the best, and now and then another.
//
// A method whose compressor alone would be slower than the best so far is not tried: on a
// slow processor a few batches of zstd would cost seconds. What compressors take is measured
// on a small sample.
type chooser struct {
	asked   Codec
	workers float64

	mu      sync.Mutex
	trials  int              // first phases begun or passed over
	phases  int              // begun
	current method           // of this phase
	left    int              // batches of this phase still to be picked
	cpu     [methods]float64 // seconds a worker takes for a byte of memory; 0 until measured
	cost    [methods]float64 // smoothed seconds a byte of memory takes; 0 until measured
	last    time.Time        // when the batch before was written; zero at the start of a round
	written method           // of the batch before
	row     int              // batches written with it in a row
}

const (
	phaseLen = 8        // batches
	trialLen = 5        // batches of a phase that tries
	settle   = 3        // batches that a change takes to show: those buffered on both sides
	smooth   = 1.0 / 4  // weight of a new measurement
	retry    = 16       // every so many phases another method than the best gets one
	sampleOf = 64 << 10 // bytes
)

// tryFirst is the order of the first phases: what is never bad comes first, as a small
// transfer sees no more than that.
var tryFirst = [...]method{withS2, asIs, zstdFast, zstdGood}

func newChooser(asked Codec, workers int) *chooser {
	return &chooser{asked: asked, workers: float64(max(workers, 1))}
}

// pick says how to compress the next batch.
func (c *chooser) pick() method {
	if c.asked != Auto {
		return methodOf[c.asked]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		c.current, c.left = c.next()
		c.phases++
	}
	c.left--
	return c.current
}

// next picks the method of a phase, and its length.
func (c *chooser) next() (method, int) {
	best := c.best()
	for c.trials < len(tryFirst) {
		m := tryFirst[c.trials]
		c.trials++
		if c.hopeful(m, best) {
			return m, trialLen
		}
	}
	if c.phases%retry == 0 {
		m := tryFirst[c.phases/retry%len(tryFirst)]
		if m != best && c.hopeful(m, best) {
			return m, trialLen
		}
	}
	return best, phaseLen
}

func (c *chooser) best() method {
	best := withS2
	for m := range methods {
		if c.cost[m] != 0 && (c.cost[best] == 0 || c.cost[m] < c.cost[best]) {
			best = m
		}
	}
	return best
}

// hopeful says whether a method can be better than the best, for all that is known.
func (c *chooser) hopeful(m, best method) bool {
	return c.cpu[m] == 0 || c.cost[best] == 0 || c.cpu[m]/c.workers < c.cost[best]
}

// wants says whether a sample should be measured: once, of the first batch that is not small.
func (c *chooser) wants(raw int) bool {
	if c.asked != Auto || raw < sampleOf {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cpu[withS2] == 0
}

// sampled notes what a compressor took for raw bytes.
func (c *chooser) sampled(m method, raw int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cpu[m] = max(took.Seconds(), 1e-9) / float64(raw)
}

// wrote notes that a batch of raw bytes, for which a method was picked, has been written.
func (c *chooser) wrote(m method, raw int, now time.Time) {
	if c.asked != Auto {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m != c.written {
		c.written, c.row = m, 0
	}
	c.row++
	if c.row > settle && !c.last.IsZero() {
		t := max(now.Sub(c.last).Seconds(), 1e-9) / float64(raw)
		if c.cost[m] == 0 {
			c.cost[m] = t
		}
		c.cost[m] += (t - c.cost[m]) * smooth
	}
	c.last = now
}

// pause says that the time until the next batch means nothing.
func (c *chooser) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Time{}
}
