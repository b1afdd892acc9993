package statexfer

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// A model is a transfer over parts of known speed: workers that share a pool of batches, a writer,
// a link with a buffer in front, and a receiver with another.
type model struct {
	compress [methods]float64 // bytes of memory a second, by one worker; 0: no time
	size     [methods]float64 // bytes on the wire for a byte of memory
	link     float64          // bytes on the wire a second
	place    [methods]float64 // bytes of memory a second; 0: no time
	buffer   float64          // bytes on the wire, of each
	noise    func() float64   // times what compressing takes; nil: 1
	stall    func() float64   // seconds more that a batch takes to be placed; nil: 0
	change   func(batch int, m *model)
}

const (
	modelRaw     = 1 << 20
	modelWorkers = 2
	modelPool    = modelWorkers + 3
	modelFrames  = modelWorkers + 2 // that the receiver holds
	modelWork    = 0.3e-9           // seconds a byte
	modelWrite   = 0.3e-9
)

// A played batch is what became of it, seconds.
type played struct {
	m                          method
	wire, written, sent, there float64
}

// run plays so many batches of a form and returns how often each method was picked, how often it
// changed, and when all was there. It can have one method alone.
func (m model) run(c *chooser, f form, batches int, only method) (count [methods]int, changes int, end float64) {
	moment := func(s float64) time.Time { return time.Unix(1, 0).Add(time.Duration(s * 1e9)) }
	cost := func(w method) float64 {
		if m.compress[w] == 0 {
			return 0
		}
		x := 1 / m.compress[w]
		if m.noise != nil {
			x *= m.noise()
		}
		return x
	}
	var all []played
	var free [modelWorkers]float64
	told := 0 // batches that the chooser knows to be written
	c.begin(uint64(batches)*maxBatchPages, false)
	// behind returns the newest batch of which something must have left a buffer for batch i to be
	// in it, and how much of it.
	behind := func(i int) (j int, over float64) {
		var sum float64
		for j = i; j >= 0; j-- {
			if sum += all[j].wire; sum > m.buffer {
				return j, sum - m.buffer
			}
		}
		return -1, 0
	}
	var writing []float64
	for i := range batches {
		if m.change != nil {
			m.change(i, &m)
		}
		w := 0
		for k := range free {
			if free[k] < free[w] {
				w = k
			}
		}
		start := free[w]
		if i >= modelPool {
			start = max(start, all[i-modelPool].written)
		}
		for ; told < len(all) && all[told].written <= start; told++ {
			b := all[told]
			c.wrote(b.m, modelRaw, int(b.wire), time.Duration(writing[told]*1e9), moment(b.written))
		}
		by := only
		if only == methods {
			by = c.pick(f)
			if s, ok := c.wants(f, modelRaw); ok {
				took := sampleOf * cost(s)
				c.compressed(s, sampleOf, int(sampleOf*m.size[s]), time.Duration(took*1e9))
				start += 2 * took
			}
		}
		took := modelRaw * cost(by)
		if by != asIs {
			c.compressed(by, modelRaw, int(modelRaw*m.size[by]), time.Duration(took*1e9))
		}
		c.worked(modelRaw, modelRaw*3/10*time.Nanosecond)
		free[w] = start + took + modelRaw*modelWork

		b := played{m: by, wire: modelRaw * m.size[by]}
		var before played
		if i > 0 {
			before = all[i-1]
			if before.m != by {
				changes++
			}
		}
		begin := max(free[w], before.written)
		b.written = begin + b.wire*modelWrite
		all = append(all, b)
		from := max(begin, before.sent) // when the link gets to it
		j, over := behind(i)
		switch {
		case j == i:
			b.written = max(b.written, from+over/m.link)
		case j >= 0:
			b.written = max(b.written, all[j].sent-(all[j].wire-over)/m.link)
		}
		b.sent = from + b.wire/m.link
		if j = min(j, i-modelFrames); j >= 0 {
			b.sent = max(b.sent, all[j].there)
		}
		b.there = max(b.sent, before.there)
		if m.place[by] > 0 {
			b.there += modelRaw / m.place[by]
		}
		if m.stall != nil {
			b.there += m.stall()
		}
		b.written = max(b.written, b.sent-m.buffer/m.link)
		all[i] = b
		writing = append(writing, b.written-begin)
		count[by]++
		end = b.there
	}
	return count, changes, end
}

// What was measured of a Lua heap and of numbers on one machine, and of a slow one.
var (
	luaSize   = [methods]float64{asIs: 1, withS2: 0.38, zstdFast: 0.25, zstdGood: 0.235}
	server    = [methods]float64{withS2: 600e6, zstdFast: 200e6, zstdGood: 150e6}
	wordsSize = [methods]float64{asIs: 1, planesS2: 0.502, planesZstdFast: 0.502, planesZstdGood: 0.501}
	serverPl  = [methods]float64{planesS2: 1500e6, planesZstdFast: 800e6, planesZstdGood: 350e6}
	board     = [methods]float64{withS2: 30e6, zstdFast: 5e6, zstdGood: 2e6}
)

const modelBuffer = 1e6

func TestAutoTakesWhatIsBest(t *testing.T) {
	tests := []struct {
		name string
		m    model
		f    form
		want method
		// Times the best for a long transfer and a short one, with what it takes to find out; 0: 1.1
		// and 1.25.
		long, short float64
	}{
		{"very slow link", model{compress: server, size: luaSize, link: 3e6}, plain, zstdGood, 0, 0},
		{"100 Mbit/s", model{compress: server, size: luaSize, link: 12e6}, plain, zstdGood, 0, 0},
		{"1 Gbit/s", model{compress: server, size: luaSize, link: 117e6}, plain, zstdFast, 0, 0},
		{"10 Gbit/s", model{compress: server, size: luaSize, link: 1170e6}, plain, asIs, 0, 0},
		{"this machine", model{compress: server, size: luaSize, link: 20e9}, plain, asIs, 0, 1.35},
		{"numbers, 1 Gbit/s", model{compress: serverPl, size: wordsSize, link: 117e6}, planar, planesS2, 0, 0},
		{"numbers, 10 Gbit/s", model{compress: serverPl, size: wordsSize, link: 1170e6}, planar, planesS2, 0, 0},
		{"slow sender", model{compress: board, size: luaSize, link: 117e6}, plain, asIs, 0, 0},
		{"slow sender and link", model{compress: board, size: luaSize, link: 8e6}, plain, withS2, 0, 0},
		{"slow receiver", model{compress: server, size: luaSize, link: 300e6,
			place: [methods]float64{asIs: 150e6, withS2: 50e6, zstdFast: 12e6, zstdGood: 12e6}}, plain, asIs, 2, 5},
		{"link and receiver are one to the other", model{compress: server, size: luaSize, link: 50e6,
			place: [methods]float64{asIs: 400e6, withS2: 300e6, zstdFast: 60e6, zstdGood: 50e6}}, plain, withS2, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.buffer = modelBuffer
			for _, batches := range []int{2000, 128} {
				least := 0.0
				for _, only := range ladders[tt.f] {
					if _, _, end := tt.m.run(newChooser(Auto, modelWorkers), tt.f, batches, only); least == 0 || end < least {
						least = end
					}
				}
				count, changes, end := tt.m.run(newChooser(Auto, modelWorkers), tt.f, batches, methods)
				t.Logf("%d batches: %.3f of the best, %v, %d changes", batches, end/least, count, changes)
				limit := max(tt.long, 1.1)
				if batches == 128 {
					limit = max(tt.short, 1.25)
				}
				if end > limit*least {
					t.Errorf("%.2f times the best of %.3f s for %d batches: %v", end/least, least, batches, count)
				}
				if batches == 2000 && count[tt.want] < batches*8/10 {
					t.Errorf("method %d in %d of %d batches: %v", tt.want, count[tt.want], batches, count)
				}
				if changes > 8+batches/100 {
					t.Errorf("%d changes in %d batches", changes, batches)
				}
			}
		})
	}
}

// On a busy machine compressing takes now this, now that long.
func TestAutoKeepsItsMind(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := model{compress: server, size: luaSize, link: 117e6, buffer: modelBuffer, noise: func() float64 {
		if rng.IntN(4) == 0 {
			return 1 + 4*rng.Float64()
		}
		return 1
	}}
	const batches = 2000
	count, changes, _ := m.run(newChooser(Auto, modelWorkers), plain, batches, methods)
	if changes > batches/20 {
		t.Errorf("%d changes in %d batches", changes, batches)
	}
	if n := count[withS2] + count[zstdFast]; n < batches*9/10 {
		t.Errorf("picked %v", count)
	}
	t.Logf("%v, %d changes", count, changes)
}

// A receiver may have to wait for memory, now and then and for long, whatever it is sent.
func TestAutoKeepsCompressingForAReceiverThatStalls(t *testing.T) {
	for name, link := range map[string]float64{"1 Gbit/s": 117e6, "10 Gbit/s": 1170e6, "this machine": 3e9} {
		t.Run(name, func(t *testing.T) {
			var worst float64
			for seed := range uint64(100) {
				rng := rand.New(rand.NewPCG(1, seed))
				slow := 0 // batches that memory is slow to come for
				m := model{compress: serverPl, size: wordsSize, link: link, buffer: 4e6,
					place: [methods]float64{asIs: 1300e6, planesS2: 1200e6, planesZstdFast: 800e6, planesZstdGood: 800e6},
					noise: func() float64 { return 0.7 + rng.ExpFloat64()*0.6 },
					stall: func() float64 {
						if slow--; slow < -20 && rng.IntN(100) == 0 {
							slow = rng.IntN(60)
						}
						if slow > 0 {
							return 0.005
						}
						return 0
					}}
				const batches = 512
				count, _, _ := m.run(newChooser(Auto, modelWorkers), planar, batches, methods)
				var bytes float64
				for w, n := range count {
					bytes += float64(n) * wordsSize[w]
				}
				over := bytes / (batches * wordsSize[planesS2])
				worst = max(worst, over)
				if over > 1.07 {
					t.Errorf("seed %d: %.2f times the bytes: %v", seed, over, count)
				}
			}
			t.Logf("at most %.3f times the bytes", worst)
		})
	}
}

// What was best at first need not stay so.
func TestAutoNoticesAChange(t *testing.T) {
	const batches, after = 4000, 500
	for name, link := range map[string][2]float64{"slower": {20e9, 117e6}, "faster": {117e6, 20e9}} {
		late := 0
		m := model{compress: server, size: luaSize, link: link[0], buffer: modelBuffer, change: func(i int, m *model) {
			if i == after {
				m.link = link[1]
			}
		}}
		count, _, _ := m.run(newChooser(Auto, modelWorkers), plain, batches, methods)
		want := zstdFast
		if link[1] > 1e9 {
			want = asIs
		}
		if late = count[want]; late < (batches-after)/3 {
			t.Errorf("%s: %v", name, count)
		}
	}
}

// A few pages go through compressing and the link one after the other.
func TestSmallRoundsGoByLatency(t *testing.T) {
	c := newChooser(Auto, 1)
	c.seen, c.ways[withS2].wire = true, 1/117e6
	for m := range methods {
		if server[m] > 0 {
			c.ways[m].cpu, c.ways[m].size = average{1, server[m]}, luaSize[m]
		}
	}
	c.begin(1<<20, false)
	if m := c.pick(plain); m != zstdFast && m != zstdGood && m != withS2 {
		t.Errorf("method %d in a large round", m)
	}
	c.dwell[plain] = 0
	c.begin(100, false)
	if m := c.pick(plain); m != withS2 {
		t.Errorf("method %d in a small round", m)
	}
}

// Nothing is measured on a slow processor that could not win.
func TestSlowCompressorsAreNotTried(t *testing.T) {
	c := newChooser(Auto, modelWorkers)
	m := model{compress: board, size: luaSize, link: 100e6, buffer: modelBuffer}
	m.run(c, plain, 200, methods)
	if c.known(zstdFast) || c.known(zstdGood) {
		t.Error("zstd was tried where s2 is too slow")
	}
}

func TestFormOfABatch(t *testing.T) {
	enc := &compressor{}
	noise := testNoise(maxBatchPages)
	text := bytes.Repeat([]byte("some text, again and again. "), maxRaw/28+1)[:maxRaw]
	numbers := bytes.Clone(noise)
	for at := 0; at < len(numbers); at += 8 {
		clear(numbers[at+4 : at+8])
	}
	for _, pages := range []int{1, 3, 4, 30, maxBatchPages} {
		n := pages * PageSize
		if f := enc.look(noise[:n]); f != shapeless {
			t.Errorf("noise has form %d", f)
		}
		if f := enc.look(text[:n]); f != plain {
			t.Errorf("text has form %d", f)
		}
		if f := enc.look(numbers[:n]); f != planar {
			t.Errorf("numbers have form %d", f)
		}
	}
	mem := append(bytes.Clone(noise), text...)
	mem = append(mem, numbers...)
	mem = append(mem, make([]byte, maxRaw)...) // for batches that end where the others do
	for _, codec := range []Codec{S2, Zstd} {
		stream, stats, _ := encode(t, mem, Options{Compress: codec})
		if stats.By[None] != uint64(len(noise)) || stats.By[S2]+stats.By[Zstd]+stats.Same*PageSize != uint64(len(text)+len(numbers)) {
			t.Errorf("%v: %+v", codec, stats)
		}
		if want := len(noise) + len(numbers)*11/20 + len(text)/10; len(stream) > want {
			t.Errorf("%v: %d bytes, expected at most %d", codec, len(stream), want)
		}
	}
	// auto may find that there is no time to compress, but never compresses what does not shrink.
	_, stats, _ := encode(t, mem, Options{Compress: Auto})
	compressed := stats.By[S2] + stats.By[Zstd] + stats.Same*PageSize
	if stats.By[None] < uint64(len(noise)) || stats.By[None]+compressed != uint64(len(noise)+len(text)+len(numbers)) {
		t.Errorf("%v: %+v", Auto, stats)
	}
}
