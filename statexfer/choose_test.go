package statexfer

import (
	"bytes"
	"testing"
	"time"
)

// The chooser against a sender, a link and a receiver of known speed, the slowest of which
// sets the pace.
func TestAutoFollowsTheSlowestPart(t *testing.T) {
	const raw = 1 << 20
	ratio := [methods]float64{asIs: 1, withS2: 0.5, zstdFast: 0.33, zstdGood: 0.25}
	server := [methods]float64{asIs: 10e9, withS2: 1e9, zstdFast: 300e6, zstdGood: 150e6}
	board := [methods]float64{asIs: 400e6, withS2: 60e6, zstdFast: 10e6, zstdGood: 4e6}
	quick := [methods]float64{asIs: 5e9, withS2: 2e9, zstdFast: 1e9, zstdGood: 1e9}
	tests := []struct {
		name     string
		compress [methods]float64 // bytes of memory a second, by all workers
		link     float64          // bytes on the wire a second
		place    [methods]float64 // bytes of memory a second
		want     method
	}{
		{"very slow link", server, 3e6, quick, zstdGood},
		{"slow link", server, 60e6, quick, zstdFast},
		{"middling link", server, 300e6, quick, withS2},
		{"fast link", server, 20e9, quick, asIs},
		{"slow receiver", server, 300e6, [methods]float64{150e6, 50e6, 12e6, 12e6}, asIs},
		{"slow sender", board, 100e6, quick, asIs},
		{"slow sender and link", board, 8e6, quick, withS2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const workers = 2
			c := newChooser(Auto, workers)
			now := time.Unix(1, 0)
			var count [methods]int
			const batches = 100 * phaseLen
			for i := range batches {
				m := c.pick()
				if c.wants(raw) {
					for m := withS2; m < methods; m++ {
						c.sampled(m, sampleOf, time.Duration(sampleOf*workers/tt.compress[m]*1e9))
					}
				}
				count[m]++
				pace := max(1/tt.compress[m], ratio[m]/tt.link, 1/tt.place[m])
				now = now.Add(time.Duration(raw * pace * 1e9))
				c.wrote(m, raw, now)
				if i == 4*trialLen && tt.compress == board && count[zstdGood] > 0 {
					t.Error("the slowest compressor was tried on a slow processor")
				}
			}
			if count[tt.want] < batches*9/10 {
				t.Fatalf("as is %d, s2 %d, zstd %d and %d times", count[asIs], count[withS2], count[zstdFast], count[zstdGood])
			}
		})
	}
}

// What was best at first need not stay so.
func TestAutoNoticesAChange(t *testing.T) {
	c := newChooser(Auto, 1)
	now := time.Unix(1, 0)
	late := 0
	for i := range 200 * phaseLen {
		m := c.pick()
		cost := [methods]time.Duration{asIs: 1, withS2: 2, zstdFast: 3, zstdGood: 4}[m]
		if i > 100*phaseLen { // the link got slow
			cost = [methods]time.Duration{asIs: 9, withS2: 6, zstdFast: 3, zstdGood: 4}[m]
		}
		now = now.Add(cost * time.Millisecond)
		c.wrote(m, 1<<20, now)
		if i > 170*phaseLen && m == zstdFast {
			late++
		}
	}
	if late < 22*phaseLen {
		t.Fatalf("zstd %d times after the change", late)
	}
}

func TestIncompressibleIsLeftAlone(t *testing.T) {
	enc := &compressor{}
	room := make([]byte, 0, maxPayload)
	noise := testNoise(maxBatchPages)
	if enc.shrinks(noise, room) {
		t.Error("noise is said to shrink")
	}
	text := bytes.Repeat([]byte("some text, again and again. "), maxRaw/28+1)[:maxRaw]
	if !enc.shrinks(text, room) {
		t.Error("text is said not to shrink")
	}
	mem := append(bytes.Clone(noise), text...)
	_, stats, _ := encode(t, mem, Options{Compress: Zstd})
	if stats.By[None] != uint64(len(noise)) || stats.By[Zstd]+stats.Same*PageSize != uint64(len(text)) {
		t.Errorf("%+v", stats)
	}
}
