package statexfer

import (
	"slices"
	"sync"
	"time"
)

// A chooser picks the method of each batch. For Auto it works out what a byte of memory would
// take with each: workers that compress, and a writer that waits for the link, are two stages of a
// pipeline, and the slower one sets the pace. It knows them by what workers and writer took for
// batches before, and for methods not in use by small samples.
//
// What it does not know is the rest: a receiver that is slow to decompress, or processors that both
// sides, and the guest, share. So it also measures the time from one batch having been written to
// the next. Where a method turns out to take longer than its parts explain, that counts, and the
// method is tried again only after a while, and ever later. What was least over some batches is what
// counts: a receiver that waits for memory now and then does so whatever it is sent. A receiver that is slow looks like a
// link that is slow, and all the slower, the more there is to decompress: so the link is taken to be
// as fast as with the method with which it was fastest, and now and then the next lighter method
// is tried.
type chooser struct {
	asked   Codec
	workers float64

	mu      sync.Mutex
	ways    [methods]way
	work    float64       // seconds a worker takes for a byte beside compressing it
	floor   float64       // seconds a byte on the wire takes at least, as seen last
	seen    bool          // the link, or the receiver, has held the writer up
	small   bool          // the round is small
	waited  bool          // and somebody may wait for it: nothing is tried
	current [forms]method // asIs but for the first batches
	dwell   [forms]int    // batches until another may be picked
	trying  [forms]bool   // the present one is on trial
	trial   int           // number of the batch at which a lighter method is tried
	blind   bool          // what was picked last was so before the link had been seen

	batches int // written
	recent  stretch
	last    time.Time // when the batch before was written; zero at the start of a round
	written method    // of the batch before
	row     int       // batches written with it in a row
}

// A way is what is known of a method.
type way struct {
	cpu  average // that a worker takes to compress; none: not measured, but for asIs
	size float64 // bytes on the wire for a byte
	wire float64 // seconds a byte on the wire takes with it; 0: not known
	at   int     // number of the batch that it was sampled at

	spent    average // from batch to batch
	cost     float64 // the least that was, seconds for a byte; 0: not known
	count    int     // batches that say so
	until    int     // number of the batch up to which they do
	patience int     // batches that they do for
}

// A stretch is what the writer did for the last batches, older ones counting less.
type stretch struct {
	batches              int
	total, writing, wire float64 // seconds, seconds, bytes
}

// An average is of the last batches, older ones counting less.
type average struct {
	seconds, bytes float64
}

// value is for a byte; 0 of none.
func (a *average) value() float64 {
	if a.bytes == 0 {
		return 0
	}
	return a.seconds / a.bytes
}

// add adds a batch. One that takes many times as long as others was held up by something else.
func (a *average) add(seconds, bytes float64) {
	if a.bytes != 0 {
		seconds = min(seconds, spike*a.value()*bytes)
	}
	a.seconds = a.seconds*longMemory + seconds
	a.bytes = a.bytes*longMemory + bytes
}

const (
	smooth     = 1.0 / 4   // weight of a new measurement
	spike      = 4         // times what was known: a measurement counts as no more
	memory     = 7.0 / 8   // weight of a stretch when the next batch comes
	longMemory = 15.0 / 16 // and of what costs a method

	minStretch   = 3
	firstBatches = 16   // that the link has to show itself, which begins with empty buffers
	settle       = 12   // batches that a change takes to show: those on their way to the receiver
	enough       = 4    // batches that make a cost
	minDwell     = 20   // batches that a change is given
	patience     = 64   // batches that a bad cost is believed, at first
	maxPatience  = 4096 // and at last
	firstTrial   = 256  // batches
	trialEvery   = 4    // times the batches before
	trialDwell   = 12   // batches

	sampleOf    = 64 << 10 // bytes
	sampleEvery = 32       // batches
	smallRound  = 4 << 20  // bytes
	heldUp      = 0.7      // of the time spent writing: the link is what all waits for

	near    = 1.05 // times the least: as good, if it makes less of the wire
	clearly = 0.75 // times the present one: better, however short that has been in use or few bytes it makes
	apart   = 1.15 // times what its parts explain: slow
	smaller = 0.97 // times the bytes: less by so much that more work may be worth while
)

func newChooser(asked Codec, workers int) *chooser {
	c := &chooser{asked: asked, workers: float64(max(workers, 1)), trial: firstTrial}
	for m := range c.ways {
		c.ways[m].patience = patience
	}
	c.ways[asIs].size = 1
	return c
}

// begin says that a round of so many pages begins. Small ones go through both stages one after
// the other, and the link's buffers take all of them.
func (c *chooser) begin(pages uint64, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.small = pages <= smallRound/PageSize
	c.waited = c.small && again
	c.last, c.recent = time.Time{}, stretch{}
}

// pick says how to send the next batch of a form.
func (c *chooser) pick(f form) method {
	if f == shapeless {
		return asIs
	}
	if c.asked != Auto {
		return f.with(c.asked)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := ladders[f][1]; !c.known(first) || !c.seen && c.batches < firstBatches {
		c.current[f] = first // never bad
		return first
	}
	if c.dwell[f]--; c.dwell[f] <= 0 || c.mistaken(f) {
		m, dwell := c.best(f), minDwell
		if c.trying[f] && m == c.current[f] && m != asIs { // it was worth while, and so may the next be
			c.trial = min(c.trial, c.batches+patience)
		}
		c.trying[f] = false
		if c.seen && c.batches >= c.trial {
			c.trial *= trialEvery
			c.trying[f] = true
			m, dwell = lighter(f, m), trialDwell
		}
		if m != c.current[f] {
			c.leave(c.current[f])
			c.current[f], c.dwell[f], c.blind = m, dwell, !c.seen
		}
	}
	return c.current[f]
}

// mistaken says whether a method was picked as if the link took no time, and that shows.
func (c *chooser) mistaken(f form) bool {
	m := c.current[f]
	return c.blind && c.seen && c.written == m && c.row >= minStretch && c.ways[m].wire != 0 && c.expected(c.best(f)) < clearly*c.expected(m)
}

// lighter returns the method before one on its ladder.
func lighter(f form, m method) method {
	i := slices.Index(ladders[f], m)
	return ladders[f][max(i-1, 0)]
}

// best returns the method of a form that makes the fewest bytes among those that take the least, or
// about that. The present one may take longer: what else there is was measured at other times, and a
// method in place of one that makes fewer bytes has to be worth them.
func (c *chooser) best(f form) method {
	all := c.worthy(f)
	least := c.expected(asIs)
	for _, m := range all {
		least = min(least, c.expected(m))
	}
	best := asIs
	for _, m := range all {
		limit := near
		if m == c.current[f] {
			limit = 1 / clearly
		}
		if c.expected(m) <= limit*least {
			best = m
		}
	}
	return best
}

// worthy returns the methods that are known of a form, each of which makes fewer bytes than those
// before it.
func (c *chooser) worthy(f form) (all []method) {
	size := 0.0
	for _, m := range ladders[f] {
		if w := &c.ways[m]; c.known(m) && (len(all) == 0 || w.size < smaller*size) {
			all, size = append(all, m), w.size
		}
	}
	return all
}

func (c *chooser) known(m method) bool { return m == asIs || c.ways[m].cpu.bytes != 0 }

// expected is what a byte takes with a method.
func (c *chooser) expected(m method) float64 {
	work, wire := c.parts(m)
	if c.small {
		return work + wire
	}
	t := max(work, wire)
	// What slows down a lighter method for no reason to be seen here does so with a heavier one. What
	// slows down memory as it is may be its bytes.
	for _, l := range ladderOf(m) {
		if c.slow(l) && (l == m || l != asIs) {
			t = max(t, c.ways[l].cost)
		}
		if l == m {
			break
		}
	}
	return t
}

// proven says whether it has been seen what a method takes.
func (c *chooser) proven(m method) bool {
	w := &c.ways[m]
	return w.cost != 0 && c.batches < w.until
}

// slow says whether a method has taken longer than its parts explain.
func (c *chooser) slow(m method) bool {
	work, wire := c.parts(m)
	return c.proven(m) && c.ways[m].cost > apart*max(work, wire)
}

// parts are what a byte takes in the two stages.
func (c *chooser) parts(m method) (work, wire float64) {
	return (c.work + c.ways[m].cpu.value()) / c.workers, c.ways[m].size * c.link()
}

// link is what a byte on the wire takes.
func (c *chooser) link() float64 {
	least := 0.0
	for m := range c.ways {
		if w := c.ways[m].wire; w != 0 && (least == 0 || w < least) {
			least = w
		}
	}
	return max(least, c.floor)
}

// leave notes that a method was given up. If it was better by its parts, they are not believed
// so soon again.
func (c *chooser) leave(m method) {
	if w := &c.ways[m]; c.slow(m) {
		w.until = c.batches + w.patience
		w.patience = min(2*w.patience, maxPatience)
	}
}

// wants says which method should be sampled with a batch of a form, if any. A heavier one is of
// interest only while a lighter one leaves the workers time to spare: on a slow processor a few
// samples of zstd would cost much.
func (c *chooser) wants(f form, raw int) (method, bool) {
	if c.asked != Auto || f == shapeless || raw < sampleOf {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waited {
		return 0, false
	}
	for i, m := range ladders[f] {
		w := &c.ways[m]
		if i == 0 || m == c.current[f] || c.known(m) && c.batches-w.at < sampleEvery {
			continue
		}
		if i > 1 {
			lighter := ladders[f][i-1]
			if work, wire := c.parts(lighter); !c.known(lighter) || work > wire {
				return 0, false
			}
		}
		w.at = c.batches
		return m, true
	}
	return 0, false
}

// compressed notes what a worker took to compress raw bytes to so many.
func (c *chooser) compressed(m method, raw, out int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &c.ways[m]
	if w.size == 0 {
		w.size = float64(out) / float64(raw)
	}
	w.cpu.add(max(took.Seconds(), 1e-12), float64(raw))
	learn(&w.size, float64(out)/float64(raw))
}

// worked notes what a worker took for raw bytes beside compressing them.
func (c *chooser) worked(raw int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	learn(&c.work, took.Seconds()/float64(raw))
}

func learn(known *float64, x float64) {
	x = max(x, 1e-15)
	if *known == 0 {
		*known = x
	}
	*known += (min(x, spike**known) - *known) * smooth
}

// wrote notes that a batch of raw bytes, for which a method was picked, has been written, as so
// many bytes, which took some of the time until now.
func (c *chooser) wrote(m method, raw, wire int, writing time.Duration, now time.Time) {
	if c.asked != Auto {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.last
	c.last = now
	if m != c.written {
		c.written, c.row = m, 0
	}
	c.row++
	c.batches++
	if last.IsZero() {
		return
	}
	total := now.Sub(last).Seconds()
	c.follow(m, total, writing.Seconds(), wire)
	if c.row <= settle {
		return
	}
	w := &c.ways[m]
	if c.batches >= w.until {
		w.spent, w.cost, w.count = average{}, 0, 0
	}
	w.spent.add(total, float64(raw))
	if w.count++; w.count >= enough && (w.cost == 0 || w.spent.value() < w.cost) {
		w.cost = w.spent.value()
	}
	w.until = c.batches + w.patience
}

// follow learns about the link. While it holds the writer up, writing takes as long as the link
// does. Else writing is what a byte takes at least, and the time that passes what it takes at most.
func (c *chooser) follow(m method, total, writing float64, wire int) {
	r := &c.recent
	r.batches++
	r.total = r.total*memory + total
	r.writing = r.writing*memory + writing
	r.wire = r.wire*memory + float64(wire)
	if r.batches < minStretch || r.wire == 0 {
		return
	}
	w := &c.ways[m]
	if r.writing > heldUp*r.total {
		w.wire, c.floor, c.seen = r.writing/r.wire, 0, true
		return
	}
	c.floor = r.writing / r.wire
	if w.wire != 0 {
		w.wire = min(w.wire, r.total/r.wire)
	}
}
