package handover

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A world is both sides and the messages between them. Each message may be delivered any
// number of times, at any later moment, or never.
type world struct {
	source        Source
	target        Target
	journalSource bool // committed
	journalTarget bool // owner
	toSource      []SourceEvent
	toTarget      []TargetEvent
}

func (w *world) sourceGets(t *rapid.T, e SourceEvent) {
	next, err := w.source.Next(e)
	if err != nil {
		t.Fatalf("source: %v", err)
	}
	w.source = next
	switch next {
	case Committed:
		w.journalSource = true
		w.toTarget = append(w.toTarget, SourceStart)
	case Kept:
		w.journalSource = false
		w.toTarget = append(w.toTarget, SourceAbort)
	}
}

func (w *world) targetGets(t *rapid.T, e TargetEvent) {
	next, err := w.target.Next(e)
	if err != nil {
		t.Fatalf("target: %v", err)
	}
	w.target = next
	switch {
	case next == Owner:
		w.journalTarget = true
		w.toSource = append(w.toSource, TargetStarted)
	case next == Dropped && e == SourceStart, e == CannotStart:
		w.toSource = append(w.toSource, TargetNotStarted)
	case next == Ready && e == HasAll:
		w.toSource = append(w.toSource, TargetReady)
	}
}

// check is the promise: never two who may run it.
func (w *world) check(t *rapid.T) {
	if w.source.MayRun() && w.target.MayRun() {
		t.Fatalf("both may run it: source %v, target %v", w.source, w.target)
	}
}

// TestOneOwner delivers, loses, repeats and delays messages and restarts both sides at
// random; there are never two owners, and once messages get through again there is one.
func TestOneOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{}
		received := false
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"memory arrives", "to source", "to target",
				"source gives up", "target trouble", "source restarts", "target restarts"}).Draw(t, "step") {
			case "memory arrives":
				if !received && w.target == Receiving {
					received = true
					w.targetGets(t, HasAll)
				}
			case "to source":
				if len(w.toSource) > 0 {
					w.sourceGets(t, rapid.SampledFrom(w.toSource).Draw(t, "message"))
				}
			case "to target":
				if len(w.toTarget) > 0 {
					e := rapid.SampledFrom(w.toTarget).Draw(t, "message")
					if e == SourceStart && w.target == Ready && rapid.Bool().Draw(t, "no processor") {
						e = CannotStart
					}
					w.targetGets(t, e)
				}
			case "source gives up":
				w.sourceGets(t, Failed)
			case "target trouble":
				w.targetGets(t, Trouble)
			case "source restarts":
				w.source = w.source.Recover(w.journalSource)
			case "target restarts":
				w.target = w.target.Recover(w.journalTarget)
			}
			w.check(t)
		}
		// The network heals: the source asks again, the target asks what it does not know.
		if w.source == Sending {
			w.sourceGets(t, Failed)
		}
		if w.source == Committed {
			w.targetGets(t, SourceStart)
			w.sourceGets(t, w.toSource[len(w.toSource)-1])
		} else if w.target == Ready {
			w.targetGets(t, SourceAbort)
		}
		w.check(t)
		if !w.source.MayRun() && !w.target.MayRun() {
			t.Fatalf("nobody may run it: source %v, target %v", w.source, w.target)
		}
	})
}

// TestEveryStateIsReached keeps the model honest: the search above covers all states.
func TestEveryStateIsReached(t *testing.T) {
	var sources []Source
	for s := Sending; s <= HandedOver; s++ {
		for e := TargetReady; e <= TargetNotStarted; e++ {
			if next, err := s.Next(e); err == nil {
				sources = append(sources, next)
			}
		}
	}
	for s := Kept; s <= HandedOver; s++ {
		if !slices.Contains(sources, s) {
			t.Errorf("no event leads to %v", s)
		}
	}
}
