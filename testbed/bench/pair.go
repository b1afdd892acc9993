package main

import (
	"fmt"
	"slices"
	"time"
)

// A pair is two ways to do the same, measured in turn.
type pair struct{ one, other []time.Duration }

func (p *pair) add(one, other time.Duration) {
	p.one, p.other = append(p.one, one), append(p.other, other)
}

// ratio is that of the fastest runs: what disturbs a run makes it longer, never shorter.
func (p *pair) ratio() float64 {
	return float64(slices.Min(p.one)) / float64(slices.Min(p.other))
}

// note says how far the ratios of single rounds were apart.
func (p *pair) note() string {
	var rs []float64
	for i := range p.one {
		rs = append(rs, float64(p.one[i])/float64(p.other[i]))
	}
	slices.Sort(rs)
	return fmt.Sprintf("%.3f / %.3f s of CPU; %d rounds %.3f to %.3f, median %.3f",
		slices.Min(p.one).Seconds(), slices.Min(p.other).Seconds(), len(rs), rs[0], rs[len(rs)-1], rs[len(rs)/2])
}
