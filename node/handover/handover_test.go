package handover

import (
	"fmt"
	"testing"
)

// A world is both sides of one move and the messages between them. Messages are sets: one
// that was sent may arrive at any later moment, any number of times, or never. So a search
// over all steps covers every order, loss and repetition.
type world struct {
	source        Source
	target        Target
	journalSource bool // committed
	journalTarget bool // owner
	post          bool // by post-copy
	lacks         bool // the target's process lacks pages
	sourceAlive   bool // the process that has the VM's memory at the source
	targetAlive   bool // the same at the target
	toSource      messages
	toTarget      messages
	ranAtTarget   bool // guest code ran there
}

// messages is a set of events, by number.
type messages uint16

func (m messages) has(n int) bool       { return m&(1<<n) != 0 }
func (m messages) with(n int) messages  { return m | 1<<n }
func start(post bool) world             { return world{post: post, sourceAlive: true, targetAlive: true} }
func (w world) sourceRuns() bool        { return w.sourceAlive && w.source.MayRun() }
func (w world) targetRuns() bool        { return w.targetAlive && w.target.MayRun() }
func (w world) sourceHasMemory() bool   { return w.sourceAlive && w.source.MustKeep() }
func (w world) over() bool              { return !w.sourceAlive && !w.targetAlive }
func (w world) violates() (what string) { return violation(w) }

// sourceGets has the source learn something, journal and say what follows.
func (w world) sourceGets(e SourceEvent) (world, error) {
	next, err := w.source.Next(e)
	if err != nil {
		return w, err
	}
	w.source = next
	switch next {
	case Committed:
		w.journalSource = true
		w.toTarget = w.toTarget.with(int(SourceStart))
	case Kept:
		w.journalSource = false
		w.toTarget = w.toTarget.with(int(SourceAbort))
	case HandedOver:
		w.journalSource = false
	}
	return w, nil
}

// targetGets is the same for the target.
func (w world) targetGets(e TargetEvent) (world, error) {
	next, err := w.target.Next(e)
	if err != nil {
		return w, err
	}
	before := w.target
	w.target = next
	switch {
	case next.Owns():
		w.journalTarget = true
		w.lacks = next != Owner
		w.ranAtTarget = w.ranAtTarget || next.MayRun()
		if e == SourceStart || e == HasAll {
			w.toSource = w.toSource.with(w.answer())
		}
	case next == Dropped && (e == SourceStart || e == CannotStart):
		w.toSource = w.toSource.with(int(TargetNotStarted))
	case before == Receiving && (next == Ready || next == ReadyLacks):
		w.toSource = w.toSource.with(int(TargetReady))
	}
	return w, nil
}

// answer is what an owner says when it is asked to start.
func (w world) answer() int {
	if w.lacks {
		return int(TargetLacks)
	}
	return int(TargetStarted)
}

// A step is one thing that can happen.
type step struct {
	name string
	next func(world) (world, bool, error) // false: it cannot happen now
}

func steps() []step {
	all := []step{
		{"memory arrives", func(w world) (world, bool, error) {
			if w.target != Receiving || !w.sourceHasMemory() || !w.targetAlive {
				return w, false, nil
			}
			e := HasAll
			if w.post {
				e = HasEnough
			}
			n, err := w.targetGets(e)
			return n, true, err
		}},
		{"the last pages arrive", func(w world) (world, bool, error) {
			if w.target != Filling || !w.sourceHasMemory() || !w.targetAlive || w.source == Kept {
				return w, false, nil
			}
			n, err := w.targetGets(HasAll)
			return n, true, err
		}},
		{"the source gives up", func(w world) (world, bool, error) {
			n, err := w.sourceGets(Failed)
			return n, true, err
		}},
		{"the source asks again", func(w world) (world, bool, error) {
			if w.source == Committed || w.source == Serving {
				w.toTarget = w.toTarget.with(int(SourceStart))
				return w, true, nil
			}
			return w, false, nil
		}},
		{"trouble at the target", func(w world) (world, bool, error) {
			n, err := w.targetGets(Trouble)
			return n, true, err
		}},
		{"the target sees its source", func(w world) (world, bool, error) {
			if w.target != Paused || !w.sourceHasMemory() {
				return w, false, nil
			}
			n, err := w.targetGets(SourceBack)
			return n, true, err
		}},
		{"the target cannot start", func(w world) (world, bool, error) {
			if (w.target != Ready && w.target != ReadyLacks) || !w.toTarget.has(int(SourceStart)) {
				return w, false, nil
			}
			n, err := w.targetGets(CannotStart)
			return n, true, err
		}},
		{"the target asks the source", func(w world) (world, bool, error) {
			if w.target != Ready && w.target != ReadyLacks {
				return w, false, nil
			}
			switch w.source {
			case Kept: // what was not journalled was not committed
				w.toTarget = w.toTarget.with(int(SourceAbort))
			case Committed:
				w.toTarget = w.toTarget.with(int(SourceStart))
			}
			return w, true, nil
		}},
		{"the source's daemon restarts", func(w world) (world, bool, error) {
			if w.source == HandedOver {
				return w, false, nil // its record says so
			}
			w.source = w.source.Recover(w.journalSource)
			return w, true, nil
		}},
		{"the target's daemon restarts", func(w world) (world, bool, error) {
			w.target = w.target.Recover(w.journalTarget, w.lacks)
			return w, true, nil
		}},
		{"the source's process is killed", func(w world) (world, bool, error) {
			w.sourceAlive = false
			if w.source == Sending {
				n, err := w.sourceGets(Failed)
				return n, true, err
			}
			return w, true, nil
		}},
		{"the target's process is killed", func(w world) (world, bool, error) {
			w.targetAlive = false
			if w.target == Receiving {
				n, err := w.targetGets(Trouble)
				return n, true, err
			}
			if w.target == Ready || w.target == ReadyLacks {
				n, err := w.targetGets(CannotStart)
				return n, true, err
			}
			return w, true, nil
		}},
	}
	for e := TargetReady; e <= TargetNotStarted; e++ {
		all = append(all, step{fmt.Sprintf("the source hears: %v", e), func(w world) (world, bool, error) {
			if !w.toSource.has(int(e)) {
				return w, false, nil
			}
			n, err := w.sourceGets(e)
			return n, true, err
		}})
	}
	for e := HasAll; e <= SourceStart; e++ {
		all = append(all, step{fmt.Sprintf("the target hears: %v", e), func(w world) (world, bool, error) {
			if !w.toTarget.has(int(e)) {
				return w, false, nil
			}
			n, err := w.targetGets(e)
			return n, true, err
		}})
	}
	return all
}

// violation is what must not be, at any moment.
func violation(w world) string {
	switch {
	case w.sourceRuns() && w.targetRuns():
		return "both may run it"
	case w.sourceRuns() && w.ranAtTarget:
		return "it runs at the source after it ran at the target"
	case w.target.Owns() && w.source.MayRun():
		return "it has two owners"
	case w.lacks && w.target == Owner:
		return "it runs on memory that is not there"
	case w.target.Owns() && w.lacks && !w.source.MustKeep():
		return "the source has freed what the target needs"
	case w.source == HandedOver && !w.target.Owns():
		return "it has no owner, though it was handed over"
	}
	return ""
}

// heal lets the network and both daemons work again, and returns the world when nothing more
// happens. The source asks, the target asks, and answers arrive.
func heal(w world) (world, error) {
	var err error
	if w.source == Sending {
		if w, err = w.sourceGets(Failed); err != nil {
			return w, err
		}
	}
	for range 4 {
		if w.source == Committed || w.source == Serving {
			if w, err = w.targetGets(SourceStart); err != nil {
				return w, err
			}
			switch answer := SourceEvent(w.answer()); {
			case !w.target.Owns():
				w, err = w.sourceGets(TargetNotStarted)
			default:
				w, err = w.sourceGets(answer)
			}
			if err != nil {
				return w, err
			}
		}
		switch {
		case w.source == Kept && (w.target == Ready || w.target == ReadyLacks || w.target == Receiving):
			w, err = w.targetGets(SourceAbort)
		case w.target == Paused && w.sourceHasMemory() && w.targetAlive:
			w, err = w.targetGets(SourceBack)
		case w.target == Filling && w.sourceHasMemory() && w.targetAlive:
			w, err = w.targetGets(HasAll)
		case w.target == Filling && !w.sourceHasMemory():
			w, err = w.targetGets(Trouble)
		}
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// healed says what is wrong with a world in which everything works again.
func healed(w world) string {
	if w.over() {
		return ""
	}
	owners := 0
	if w.source.MayRun() {
		owners++
	}
	if w.target.Owns() {
		owners++
	}
	switch {
	case owners != 1:
		return fmt.Sprintf("%d owners", owners)
	case w.target.Owns() && w.targetAlive && w.lacks && w.sourceAlive:
		return "the target never gets all"
	case w.target.Owns() && w.targetAlive && w.lacks && w.target != Paused && !w.sourceAlive:
		return "it is not paused, though its source is gone for good"
	}
	return ""
}

// TestEveryWorld visits every world that can be reached by any order of messages, losses,
// repetitions, restarts of either daemon and deaths of either process. In none has the VM two
// owners or memory that is not its own, and from each, when all works again, it has one.
func TestEveryWorld(t *testing.T) {
	for _, post := range []bool{false, true} {
		first := start(post)
		seen := map[world]bool{first: true}
		var sources [HandedOver + 1]bool
		var targets [Owner + 1]bool
		transitions := 0
		for queue := []world{first}; len(queue) > 0; queue = queue[1:] {
			w := queue[0]
			sources[w.source], targets[w.target] = true, true
			if what := w.violates(); what != "" {
				t.Fatalf("%s: %+v", what, w)
			}
			end, err := heal(w)
			if err != nil {
				t.Fatalf("after %+v, heals to %+v: %v", w, end, err)
			}
			if what := healed(end); what != "" {
				t.Fatalf("%s: after %+v, heals to %+v", what, w, end)
			}
			for _, s := range steps() {
				next, can, err := s.next(w)
				if err != nil {
					t.Fatalf("%s, after %+v: %v", s.name, w, err)
				}
				if !can || seen[next] {
					continue
				}
				transitions++
				seen[next] = true
				queue = append(queue, next)
			}
		}
		for s, reached := range sources {
			if want := post || Source(s) != Serving; reached != want {
				t.Errorf("post-copy %v: source %v reached: %v", post, Source(s), reached)
			}
		}
		for s, reached := range targets {
			lacking := Target(s) == ReadyLacks || Target(s) == Filling || Target(s) == Paused
			want := !lacking || post
			if Target(s) == Ready && post {
				want = false
			}
			if reached != want {
				t.Errorf("post-copy %v: target %v reached: %v", post, Target(s), reached)
			}
		}
		t.Logf("post-copy %v: %d worlds", post, len(seen))
	}
}

// TestBrokenRules keeps the model honest: it finds what is wrong with rules that are.
func TestBrokenRules(t *testing.T) {
	w := start(false)
	w.source, w.target, w.targetAlive = Kept, Owner, true
	if w.violates() == "" {
		t.Error("two owners are not noticed")
	}
	w = start(true)
	w.source, w.target, w.lacks = HandedOver, Filling, true
	if w.violates() == "" {
		t.Error("a source that frees what is needed is not noticed")
	}
	w = start(false)
	w.source, w.target = HandedOver, Dropped
	if w.violates() == "" || healed(w) == "" {
		t.Error("a VM without an owner is not noticed")
	}
}
