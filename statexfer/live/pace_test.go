package live

import (
	"strings"
	"testing"
	"time"
)

// A model is a guest and a link of known speed.
type model struct {
	used  float64 // pages
	write float64 // pages a second, all different up to hot
	hot   float64 // pages that are written at all
	link  float64 // pages a second
	round float64 // what a round takes however few pages it has, seconds
}

// run plays rounds until the pace ends them, and returns how, after how many, and the downtime.
func (m model) run(plan Plan) (step, *pace, time.Duration) {
	p := &pace{plan: plan.withDefaults()}
	for sent := m.used; ; {
		took := sent/m.link + m.round
		left := min(m.write*(1-p.throttle)*took, m.hot)
		s := p.next(uint64(sent), time.Duration(took*1e9), uint64(left))
		if s == finish || s == postpone {
			return s, p, plan.Fixed + time.Duration(left/m.link*1e9)
		}
		sent = left
	}
}

func TestPace(t *testing.T) {
	const fixed = 2 * time.Millisecond
	tests := []struct {
		name     string
		model    model
		plan     Plan
		want     step
		throttle bool
	}{
		{"idle", model{131072, 10, 100, 250000, 0}, Plan{}, finish, false},
		{"read-mostly", model{131072, 20000, 5000, 250000, 0}, Plan{MaxDowntime: 5 * time.Millisecond}, finish, false},
		{"writes half of what the link carries", model{131072, 125000, 1e9, 250000, 0}, Plan{}, finish, false},
		{"writes more than the link carries", model{131072, 500000, 1e9, 250000, 0}, Plan{}, finish, true},
		{"the same, with post-copy", model{131072, 500000, 1e9, 250000, 0}, Plan{PostCopy: true}, postpone, false},
		{"the same, asked for pre-copy", model{131072, 500000, 1e9, 250000, 0}, Plan{Mode: PreCopy, PostCopy: true}, finish, true},
		{"a hot set that is too large", model{131072, 1e6, 20000, 100000, 0}, Plan{}, finish, true},
		{"few pages in slow rounds", model{29, 100, 13, 25000, 0.1}, Plan{PostCopy: true}, finish, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.plan.Fixed = fixed
			got, p, down := tt.model.run(tt.plan)
			if got != tt.want || p.throttle > 0 != tt.throttle {
				t.Errorf("step %v after %d rounds, held back %v; want %v, %v", got, p.round, p.throttle, tt.want, tt.throttle)
			}
			if limit := tt.plan.withDefaults().MaxDowntime; got == finish && down > limit*5/4 {
				t.Errorf("downtime %v, want %v; %s", down, limit, p.reason)
			}
			if p.round > maxRounds+1 {
				t.Errorf("%d rounds", p.round)
			}
		})
	}
}

// A guest that could be stopped, but of which less is left after each round, goes on: that costs
// few bytes and most of the downtime.
func TestPaceGoesOnWhileItPays(t *testing.T) {
	m := model{used: 16384, write: 16000, hot: 1e9, link: 57000}
	plan := Plan{Fixed: 2 * time.Millisecond}
	got, p, down := m.run(plan)
	if got != finish || down > plan.Fixed+2*shortRest || p.round > 8 {
		t.Errorf("step %v after %d rounds, downtime %v", got, p.round, down)
	}
	// One that writes the same pages over and over is stopped soon after that is possible.
	m = model{used: 16384, write: 1e6, hot: 1000, link: 57000}
	if got, p, _ := m.run(plan); got != finish || p.round > 1+stallLimit {
		t.Errorf("step %v after %d rounds", got, p.round)
	}
}

// A round that took too long, for something else had the processor, is no reason to stop the guest with
// many pages left.
func TestPaceForgivesOneRound(t *testing.T) {
	p := &pace{plan: Plan{Fixed: 2 * time.Millisecond}.withDefaults()}
	for i, r := range []struct {
		sent uint64
		took time.Duration
		left uint64
		want step
	}{
		{131072, 2400 * time.Millisecond, 38000, goOn},
		{38000, 500 * time.Millisecond, 8000, goOn},
		{8000, 90 * time.Millisecond, 1400, goOn},
		{1400, 50 * time.Millisecond, 800, goOn}, // disturbed
		{800, 10 * time.Millisecond, 160, goOn},
		{160, 2500 * time.Microsecond, 40, goOn},
		{40, 600 * time.Microsecond, 10, finish},
	} {
		if got := p.next(r.sent, r.took, r.left); got != r.want {
			t.Fatalf("round %d: step %v, want %v", i+1, got, r.want)
		}
	}
}

// What cannot be had ends all the same, and says so.
func TestPaceGivesUp(t *testing.T) {
	got, p, _ := model{131072, 1e9, 20000, 100000, 0}.run(Plan{Fixed: 2 * time.Millisecond})
	if got != finish || p.round > maxRounds || !strings.Contains(p.reason, "cannot be stopped") {
		t.Errorf("step %v after %d rounds: %s", got, p.round, p.reason)
	}
}

func TestChoose(t *testing.T) {
	gbit := Plan{Link: 117e6, Fixed: 2 * time.Millisecond}
	post := gbit
	post.PostCopy = true
	with := func(p Plan, m Mode) Plan { p.Mode = m; return p }
	tests := []struct {
		name   string
		plan   Plan
		used   uint64
		dirty  float64
		canLog bool
		want   Mode
	}{
		{"small", gbit, 100, 0, true, Stop},
		{"large", gbit, 131072, 0, true, PreCopy},
		{"large, nothing logged", gbit, 131072, 0, false, Stop},
		{"writes fast", gbit, 131072, 1e6, true, PreCopy},
		{"writes fast, post-copy allowed", post, 131072, 1e6, true, PostCopy},
		{"the same over a link that nobody has seen", Plan{PostCopy: true}, 131072, 1e6, true, PreCopy},
		{"writes faster than the link, and little", Plan{PostCopy: true, Link: 117e6, MaxDowntime: time.Second}, 131072, 1e5, true, PreCopy},
		{"asked for", with(post, Hybrid), 100, 0, true, Hybrid},
		{"asked for and not allowed", with(gbit, PostCopy), 131072, 0, true, PreCopy},
		{"asked for and not possible", with(gbit, PreCopy), 131072, 0, false, Stop},
		{"asked to stop", with(post, Stop), 131072, 1e6, true, Stop},
	}
	for _, tt := range tests {
		got, why := choose(tt.plan.withDefaults(), tt.used, tt.dirty, tt.canLog)
		if got != tt.want || why == "" {
			t.Errorf("%s: %v because %q, want %v", tt.name, got, why, tt.want)
		}
	}
}

func TestModeNames(t *testing.T) {
	for _, m := range []Mode{Auto, Stop, PreCopy, PostCopy, Hybrid} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	if _, err := ParseMode("teleport"); err == nil {
		t.Error("teleport was taken")
	}
}
