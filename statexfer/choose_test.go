package statexfer

import (
	"testing"
	"time"
)

// The chooser against a sender, a link and a receiver of known speed, the slowest of which
// sets the pace.
func TestAutoFollowsTheSlowestPart(t *testing.T) {
	const raw = 1 << 20
	ratio := [...]float64{None: 1, S2: 0.5, Zstd: 0.33}
	tests := []struct {
		name     string
		compress [Zstd + 1]float64 // bytes of memory a second
		link     float64           // bytes on the wire a second
		place    [Zstd + 1]float64 // bytes of memory a second
		want     Codec
	}{
		{"slow link", [...]float64{None: 10e9, S2: 1e9, Zstd: 300e6}, 10e6, [...]float64{None: 5e9, S2: 2e9, Zstd: 1e9}, Zstd},
		{"middling link", [...]float64{None: 10e9, S2: 1e9, Zstd: 300e6}, 300e6, [...]float64{None: 5e9, S2: 2e9, Zstd: 1e9}, S2},
		{"fast link", [...]float64{None: 10e9, S2: 1e9, Zstd: 300e6}, 20e9, [...]float64{None: 5e9, S2: 2e9, Zstd: 1e9}, None},
		{"slow receiver", [...]float64{None: 10e9, S2: 1e9, Zstd: 300e6}, 300e6, [...]float64{None: 150e6, S2: 50e6, Zstd: 12e6}, None},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &chooser{asked: Auto}
			now := time.Unix(1, 0)
			var count [Zstd + 1]int
			const batches = 100 * phaseLen
			for range batches {
				codec := c.pick()
				count[codec]++
				pace := max(1/tt.compress[codec], ratio[codec]/tt.link, 1/tt.place[codec])
				now = now.Add(time.Duration(raw * pace * 1e9))
				c.wrote(codec, raw, now)
			}
			if count[tt.want] < batches*9/10 {
				t.Fatalf("none %d, s2 %d, zstd %d times", count[None], count[S2], count[Zstd])
			}
		})
	}
}

// What was best at first need not stay so.
func TestAutoNoticesAChange(t *testing.T) {
	c := &chooser{asked: Auto}
	now := time.Unix(1, 0)
	late := 0
	for i := range 200 * phaseLen {
		codec := c.pick()
		cost := [...]time.Duration{None: 1, S2: 2, Zstd: 3}[codec]
		if i > 100*phaseLen { // the link got slow
			cost = [...]time.Duration{None: 9, S2: 6, Zstd: 3}[codec]
		}
		now = now.Add(cost * time.Millisecond)
		c.wrote(codec, 1<<20, now)
		if i > 170*phaseLen && codec == Zstd {
			late++
		}
	}
	if late < 25*phaseLen {
		t.Fatalf("zstd %d times after the change", late)
	}
}
