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
	entry         bool // in the source's journal
	told          bool // the source's process knows that the target may start
	journalTarget bool // owner
	post          bool // by post-copy
	lacks         bool // the target's process lacks pages
	sourceAlive   bool // the process that has the VM's memory at the source
	targetAlive   bool // the same at the target
	rested        bool // the source's guest has come to rest, so all can arrive
	wentOn        bool // and has gone on since
	shown         bool // something that the guest did at the target has got out
	direct        bool // the source's process has committed by itself, and tells the target's
	early         bool // which has let the guest run, and its daemon has not heard
	filled        bool // by post-copy: the target's process has had all pages since
	toSource      messages
	toTarget      messages
	careless      careless
}

// careless names a rule that is broken on purpose.
type careless string

// messages is a set of events, by number.
type messages uint16

func (m messages) has(n int) bool       { return m&(1<<n) != 0 }
func (m messages) with(n int) messages  { return m | 1<<n }
func (w world) sourceRuns() bool        { return w.sourceAlive && w.source.MayRun() && !w.told }
func (w world) targetRuns() bool        { return w.targetAlive && (w.target.MayRun() || w.early) }
func (w world) sourceHasMemory() bool   { return w.sourceAlive && w.source.MustKeep() }
func (w world) over() bool              { return !w.sourceAlive && !w.targetAlive }
func (w world) violates() (what string) { return violation(w) }

func start(post bool, c careless) world {
	return world{post: post, sourceAlive: true, targetAlive: true, careless: c}
}

// sourceGets has the source learn something, and do what goes with the state that follows. What
// it says and what it deletes come in steps of their own: it may restart before.
func (w world) sourceGets(e SourceEvent) (world, error) {
	next, err := w.source.Next(e)
	if err != nil {
		return w, err
	}
	w.source = next
	switch next {
	case Written:
		w.entry = true
	case Committed:
		w.told = w.sourceAlive && w.careless != "the process is not told"
	case Kept:
		w.toTarget = w.toTarget.with(int(SourceAbort))
	case HandedOver:
		w.entry = false
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
	if next.MayRun() || next == Dropped { // its daemon knows, or has ended it
		w.early = false
	}
	switch {
	case next == StartingLacks && before == ReadyLacks || next == Filling && before == StartingLacks:
		w.lacks = !w.filled // its process may have got all before the daemon heard that it runs
	case next.Owns() && next != Owner:
		w.lacks = true
	case next == Starting || next == Owner:
		w.lacks = false
	}
	switch {
	case next.Owns():
		w.journalTarget = true
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

// sourceRestarts is what the source's next daemon makes of what it finds.
func (w world) sourceRestarts() world {
	if w.source == HandedOver {
		return w // its record says so
	}
	w.source = w.source.Recover(w.entry, w.sourceAlive, w.told)
	return w
}

// mayGoOn says whether a guest that was at rest for the move may go on at the source.
func (w world) mayGoOn() bool {
	if w.source != Kept || !w.sourceAlive || !w.rested {
		return false
	}
	return !w.entry || w.toSource.has(int(TargetNotStarted)) || w.target == Dropped || w.careless == "it goes on at once"
}

// awaitsCommit says whether the target's process has all that the source's has, and has told it so.
func (w world) awaitsCommit() bool {
	return !w.told && w.rested && !w.wentOn && w.sourceAlive && w.targetAlive &&
		(w.source == Sending || w.source == Written) && (w.target == Receiving || w.target == Ready || w.target == ReadyLacks)
}

// committedItself says whether the source's process has committed, and its daemon has not heard.
func (w world) committedItself() bool {
	return w.source == Written && w.sourceAlive && w.told
}

// A step is one thing that can happen.
type step struct {
	name string
	next func(world) (world, bool, error) // false: it cannot happen now
}

func steps() []step {
	all := []step{
		{"the source's entry reaches the disk", func(w world) (world, bool, error) {
			if w.source != Sending {
				return w, false, nil
			}
			n, err := w.sourceGets(Journalled)
			return n, true, err
		}},
		{"the guest comes to rest", func(w world) (world, bool, error) {
			if !w.sourceAlive || w.source != Sending && w.source != Written {
				return w, false, nil
			}
			w.rested = true
			return w, true, nil
		}},
		{"memory arrives", func(w world) (world, bool, error) {
			if w.target != Receiving || !w.rested || !w.targetAlive {
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
			if (w.target != Filling && w.target != StartingLacks) || !w.sourceHasMemory() || !w.targetAlive || w.source == Kept {
				return w, false, nil
			}
			n, err := w.targetGets(HasAll)
			return n, true, err
		}},
		{"the last pages arrive before the daemon knows that it runs", func(w world) (world, bool, error) {
			if !w.post || !w.early || w.filled || !w.sourceHasMemory() || !w.told {
				return w, false, nil
			}
			w.filled, w.lacks = true, false
			return w, true, nil
		}},
		{"the source's process commits", func(w world) (world, bool, error) {
			if !w.awaitsCommit() || w.careless != "it commits before the disk has it" && w.source != Written {
				return w, false, nil
			}
			w.told, w.direct = true, true
			return w, true, nil
		}},
		{"the source's daemon hears of that", func(w world) (world, bool, error) {
			if !w.committedItself() {
				return w, false, nil
			}
			n, err := w.sourceGets(TargetReady)
			return n, true, err
		}},
		{"the target's process hears of that", func(w world) (world, bool, error) {
			if !w.direct || !w.targetAlive || w.early || w.target != Receiving && w.target != Ready && w.target != ReadyLacks {
				return w, false, nil
			}
			w.early, w.lacks = true, w.post
			return w, true, nil
		}},
		{"the source gives up", func(w world) (world, bool, error) {
			if w.committedItself() && w.careless != "it does not wait for its process" {
				return w, false, nil // its process answers first
			}
			n, err := w.sourceGets(Failed)
			return n, true, err
		}},
		{"the source asks", func(w world) (world, bool, error) {
			if w.source == Committed || w.source == Serving {
				w.toTarget = w.toTarget.with(int(SourceStart))
				return w, true, nil
			}
			return w, false, nil
		}},
		{"the source deletes its entry", func(w world) (world, bool, error) {
			if w.source != Kept {
				return w, false, nil
			}
			w.entry = false
			return w, true, nil
		}},
		{"the guest goes on at the source", func(w world) (world, bool, error) {
			if !w.mayGoOn() {
				return w, false, nil
			}
			w.wentOn, w.told = true, false
			return w, true, nil
		}},
		{"the target's entry reaches the disk", func(w world) (world, bool, error) {
			if w.target != Starting && w.target != StartingLacks {
				return w, false, nil
			}
			n, err := w.targetGets(Owned)
			return n, true, err
		}},
		{"something gets out of the target", func(w world) (world, bool, error) {
			if !w.targetRuns() || !w.target.Owns() && w.careless != "output is not held" {
				return w, false, nil
			}
			w.shown = true
			return w, true, nil
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
			switch w.target {
			case Ready, ReadyLacks:
				if !w.toTarget.has(int(SourceStart)) {
					return w, false, nil
				}
			case Starting, StartingLacks: // its journal cannot be written
			default:
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
			return w.sourceRestarts(), true, nil
		}},
		{"the source's daemon restarts without the VM's process", func(w world) (world, bool, error) {
			w.sourceAlive, w.told = false, false
			return w.sourceRestarts(), true, nil
		}},
		{"the target's daemon restarts", func(w world) (world, bool, error) {
			w.target = w.target.Recover(w.journalTarget, w.lacks)
			w.early = false
			return w, true, nil
		}},
		{"the source's process is killed", func(w world) (world, bool, error) {
			w.sourceAlive, w.told = false, false
			if w.source == Sending || w.source == Written {
				n, err := w.sourceGets(Failed)
				return n, true, err
			}
			return w, true, nil
		}},
		{"the target's process is killed", func(w world) (world, bool, error) {
			w.targetAlive, w.early = false, false
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
			if e == TargetReady && w.source == Sending {
				return w, false, nil // it waits for its disk
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
	case w.sourceRuns() && w.shown:
		return "it runs at the source after something of it was seen at the target"
	case w.targetRuns() && w.wentOn:
		return "it runs at the target as it was before it went on at the source"
	case w.target.Owns() && w.source.MayRun():
		return "it has two owners"
	case w.shown && !w.journalTarget:
		return "something of it was seen, and the target may forget that"
	case w.lacks && (w.target == Owner || w.target == Starting):
		return "it runs on memory that is not there"
	case (w.target.MayRun() || w.early) && w.lacks && !w.source.MustKeep():
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
	if w.committedItself() {
		if w, err = w.sourceGets(TargetReady); err != nil {
			return w, err
		}
	}
	if w.source == Sending || w.source == Written {
		if w, err = w.sourceGets(Failed); err != nil {
			return w, err
		}
	}
	for range 5 {
		if w.target == Starting || w.target == StartingLacks {
			if w, err = w.targetGets(Owned); err != nil {
				return w, err
			}
		}
		if w.source == Committed || w.source == Serving {
			if w, err = w.targetGets(SourceStart); err != nil {
				return w, err
			}
			switch answer := SourceEvent(w.answer()); {
			case w.target == Starting || w.target == StartingLacks: // not before its disk has it
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
	case w.source == Kept && w.sourceAlive && w.rested && !w.wentOn && !w.mayGoOn() && w.entry && w.target != Dropped:
		return "it stays at rest at the source"
	case w.target.Owns() && w.targetAlive && w.lacks && w.sourceAlive:
		return "the target never gets all"
	case w.target.Owns() && w.targetAlive && w.lacks && w.target != Paused && !w.sourceAlive:
		return "it is not paused, though its source is gone for good"
	}
	return ""
}

// search visits every world that can be reached, and says what is wrong with the first one that
// is wrong.
func search(first world, visit func(world)) (worlds int, wrong error) {
	seen := map[world]bool{first: true}
	for queue := []world{first}; len(queue) > 0; queue = queue[1:] {
		w := queue[0]
		visit(w)
		if what := w.violates(); what != "" {
			return len(seen), fmt.Errorf("%s: %+v", what, w)
		}
		end, err := heal(w)
		if err != nil {
			return len(seen), fmt.Errorf("after %+v, heals to %+v: %w", w, end, err)
		}
		if what := healed(end); what != "" {
			return len(seen), fmt.Errorf("%s: after %+v, heals to %+v", what, w, end)
		}
		for _, s := range steps() {
			next, can, err := s.next(w)
			if err != nil {
				return len(seen), fmt.Errorf("%s, after %+v: %w", s.name, w, err)
			}
			if can && !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return len(seen), nil
}

// TestEveryWorld visits every world that can be reached by any order of messages, losses,
// repetitions, writes that reach the disk late, restarts of either daemon and deaths of either
// process. In none has the VM two owners, memory that is not its own, or a past that was seen and
// is forgotten, and from each, when all works again, it has one owner.
func TestEveryWorld(t *testing.T) {
	for _, post := range []bool{false, true} {
		var sources [HandedOver + 1]bool
		var targets [Owner + 1]bool
		worlds, err := search(start(post, ""), func(w world) { sources[w.source], targets[w.target] = true, true })
		if err != nil {
			t.Fatal(err)
		}
		for s, reached := range sources {
			if want := post || Source(s) != Serving; reached != want {
				t.Errorf("post-copy %v: source %v reached: %v", post, Source(s), reached)
			}
		}
		for s, reached := range targets {
			want := true
			switch Target(s) {
			case ReadyLacks, StartingLacks, Filling, Paused:
				want = post
			case Ready:
				want = !post
			}
			if reached != want {
				t.Errorf("post-copy %v: target %v reached: %v", post, Target(s), reached)
			}
		}
		t.Logf("post-copy %v: %d worlds", post, worlds)
	}
}

// TestBrokenRules keeps the model honest: it finds what is wrong with rules that are.
func TestBrokenRules(t *testing.T) {
	for _, c := range []careless{
		"the process is not told", "it goes on at once", "output is not held",
		"it commits before the disk has it", "it does not wait for its process",
	} {
		for _, post := range []bool{false, true} {
			if _, err := search(start(post, c), func(world) {}); err == nil {
				t.Errorf("post-copy %v: nothing is wrong though %s", post, c)
			} else {
				t.Logf("%s: %v", c, err)
			}
		}
	}
	w := start(false, "")
	w.source, w.target, w.targetAlive = Kept, Owner, true
	if w.violates() == "" {
		t.Error("two owners are not noticed")
	}
	w = start(true, "")
	w.source, w.target, w.lacks = HandedOver, Filling, true
	if w.violates() == "" {
		t.Error("a source that frees what is needed is not noticed")
	}
	w = start(false, "")
	w.source, w.early = Sending, true
	if w.violates() == "" {
		t.Error("a target that starts too early is not noticed")
	}
	w = start(false, "")
	w.source, w.target = HandedOver, Dropped
	if w.violates() == "" || healed(w) == "" {
		t.Error("a VM without an owner is not noticed")
	}
}
