package live

import (
	"fmt"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// A step is what to do when a round is over.
type step uint8

const (
	finish   step = iota // stop the guest and send the rest
	goOn                 // another round
	slowDown             // hold the guest back more, then another round
	postpone             // stop the guest, resume it at the target and send the rest then
)

// A pace decides on rounds. It sees how long the last one took and what was written
// meanwhile, and knows nothing else.
type pace struct {
	plan Plan

	perPage  float64 // seconds a page takes, smoothed
	round    int     // rounds done
	stalled  int     // rounds in a row after which not much less was left
	left     uint64  // pages left after the last round
	throttle float64
	reason   string
}

const (
	maxRounds  = 40
	stallShare = 0.75 // of what was left before: more than this is no progress
	stallLimit = 2    // rounds in a row
	smooth     = 0.5

	// shortRest is a time that no round would shorten: it takes about that by itself.
	shortRest = 500 * time.Microsecond
)

// throttles is how a guest is held back, step by step.
var throttles = []float64{0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 0.99}

// expected is the downtime if the guest stopped now with so many pages left.
func (p *pace) expected(pages uint64) time.Duration {
	return p.plan.Fixed + time.Duration(float64(pages)*p.perPage*float64(time.Second))
}

// budget is what sending the rest may take. Where stopping and starting alone take nearly as
// long as the downtime asked for, it is a part of that.
func (p Plan) budget() time.Duration { return max(p.MaxDowntime-p.Fixed, p.MaxDowntime/4) }

// next decides after a round that sent pages in the time it took, and left some to be sent.
func (p *pace) next(sent uint64, took time.Duration, left uint64) step {
	p.round++
	if sent > 0 {
		t := took.Seconds() / float64(sent)
		if p.perPage == 0 {
			p.perPage = t
		}
		p.perPage += (t - p.perPage) * smooth
	}
	before := p.left
	p.left = left
	if p.round == 1 {
		before = sent
	}
	if float64(left) > stallShare*float64(before) {
		p.stalled++
	} else {
		p.stalled = 0
	}
	if rest := p.expected(left) - p.plan.Fixed; rest <= p.plan.budget() && !p.worthMore(rest, left) {
		p.reason = fmt.Sprintf("%d pages are left", left)
		return finish
	}
	if p.stalled < stallLimit && p.round < maxRounds {
		return goOn
	}
	// Every kind of move ends with a round, and neither throttling nor post-copy would make it shorter.
	if left <= statexfer.FewPages {
		p.reason = fmt.Sprintf("%d pages are left, and a round takes as long as that", left)
		return finish
	}
	if p.plan.PostCopy && (p.plan.Mode == Auto || p.plan.Mode == Hybrid) {
		p.reason = "it writes faster than the link carries"
		return postpone
	}
	p.stalled = 0
	for _, share := range throttles {
		if share > p.throttle && p.round < maxRounds {
			p.throttle = share
			return slowDown
		}
	}
	p.reason = fmt.Sprintf("it cannot be stopped in %v; %d pages are left", p.plan.MaxDowntime, left)
	return finish
}

// worthMore says whether one more round is worth while although the guest could be stopped: what is left
// takes longer than a round does by itself, and grows less, but for one round that something else may
// have disturbed. All such rounds together take no more than a few times the downtime asked for.
func (p *pace) worthMore(rest time.Duration, left uint64) bool {
	return rest > shortRest && left > statexfer.FewPages && p.stalled < stallLimit && p.round < maxRounds
}

// choose picks a way for a guest of which so many pages are in use, and says why. Where the
// way is Auto still, rounds will tell.
func choose(plan Plan, used uint64, dirtyRate float64, canLog bool) (Mode, string) {
	switch {
	case plan.Mode != Auto && plan.Mode != Stop && !canLog && plan.Mode != PostCopy:
		return Stop, "what it writes cannot be logged here"
	case (plan.Mode == PostCopy || plan.Mode == Hybrid) && !plan.PostCopy:
		return PreCopy, "post-copy is not possible or not allowed"
	case plan.Mode != Auto:
		return plan.Mode, "asked for"
	case !canLog:
		return Stop, "what it writes cannot be logged here"
	}
	link, seen := plan.carries()
	whole := time.Duration(float64(used) * statexfer.PageSize / link * float64(time.Second))
	if plan.Fixed+whole <= plan.MaxDowntime/2 {
		return Stop, fmt.Sprintf("all of its %d pages take %v", used, whole.Round(100*time.Microsecond))
	}
	// It has written more already than can be sent in the downtime asked for, and goes on to. A
	// link that was not seen yet may carry more than is thought: there, rounds will tell.
	if writes := dirtyRate * statexfer.PageSize; plan.PostCopy && seen && writes > link && writes*sampleTime.Seconds() > link*plan.budget().Seconds() {
		return PostCopy, fmt.Sprintf("it writes %.0f MB/s, and the link carries %.0f MB/s", writes/1e6, link/1e6)
	}
	return PreCopy, fmt.Sprintf("all of its %d pages take about %v", used, whole.Round(time.Millisecond))
}
