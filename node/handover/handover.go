// Package handover is the rule by which a VM has exactly one owner while it moves: the
// states of both sides and what takes them from one to the next, without input or output.
//
// A side asks Next before it acts. Messages may be lost, repeated or late, and either side may
// restart; what it has not journalled, it has forgotten. The VM's process at either side outlives
// a restart; if it dies, its memory is gone.
//
// Nobody waits for a disk while no guest code runs. The source writes its entry ahead, while the
// guest still runs or its memory is under way. Such an entry promises nothing by itself: what
// counts is what the VM's process at the source has been told, and that is told just before the
// target is asked to start. The entry speaks where that process is dead. The target lets the guest
// run before its own entry is on disk, and lets nothing of what it does out until then: a guest of
// which nothing was seen may end as one that never ran.
//
// A move by post-copy starts the VM at the target while pages are still at the source. From
// then on the VM needs both: the source serves, the target fills, and a target that does not
// see its source pauses the VM rather than let it run on memory that it does not have.
package handover

import "fmt"

// A Source is the state of the side that has the VM first.
type Source int

const (
	Sending    Source = iota // the VM is the source's, running or at rest
	Written                  // the same, and an entry is in the journal that counts should its process die
	Kept                     // final: the move failed, the VM goes on at the source
	Committed                // journalled, and its process knows: the VM must not run at the source
	Serving                  // journalled as Committed: the target has it, and needs pages from here
	HandedOver               // final: the target has it and needs nothing more
)

// A SourceEvent is what the source learns.
type SourceEvent int

const (
	Journalled       SourceEvent = iota // the entry is on disk
	TargetReady                         // the target answered that it has what it needs to start, checked
	Failed                              // anything else before that: a refusal, an error, silence
	TargetStarted                       // the target answered that it owns the VM and has all of it
	TargetLacks                         // the target answered that it owns the VM and lacks pages
	TargetNotStarted                    // the target answered that it has not started it and never will
)

// Next returns the state that follows; an event that the protocol rules out is an error.
func (s Source) Next(e SourceEvent) (Source, error) {
	switch s {
	case Sending:
		switch e {
		case Journalled:
			return Written, nil
		case Failed, TargetNotStarted:
			return Kept, nil
		}
	case Written:
		switch e {
		case TargetReady:
			return Committed, nil
		case Failed, TargetNotStarted:
			return Kept, nil
		}
	case Committed:
		switch e {
		case Failed, TargetReady:
			return Committed, nil // an answer got lost: ask again
		case TargetStarted:
			return HandedOver, nil
		case TargetLacks:
			return Serving, nil
		case TargetNotStarted:
			return Kept, nil
		}
	case Serving:
		switch e {
		case TargetStarted:
			return HandedOver, nil
		case TargetLacks, TargetReady, Failed:
			return Serving, nil
		}
	case HandedOver:
		if e != TargetNotStarted {
			return HandedOver, nil // late or repeated
		}
	case Kept:
		if e != TargetStarted && e != TargetLacks {
			return Kept, nil
		}
	}
	return s, fmt.Errorf("source is %v: %v cannot be", s, e)
}

// MayRun says whether the source may let the VM run. One that has been at rest for the move goes
// on only when the entry is gone, or the target has said that it did not start and never will:
// else the target might start it as it was before.
func (s Source) MayRun() bool { return s == Sending || s == Written || s == Kept }

// MustKeep says whether the source must keep the VM's memory.
func (s Source) MustKeep() bool { return s != HandedOver }

// Recover is the source's state after a restart: entry says whether its journal has one, alive
// whether the VM's process is there, and told whether that knows that the target may start it.
// A source that served asks the target again, and finds out so.
func (Source) Recover(entry, alive, told bool) Source {
	if entry && (told || !alive) {
		return Committed
	}
	return Kept
}

// A Target is the state of the side that is to get the VM.
type Target int

const (
	Receiving     Target = iota // reserved; the source can still do anything
	Ready                       // has all and has said so: only the source can decide
	ReadyLacks                  // the same, and pages are to follow when the VM runs
	Dropped                     // final: nothing was ever seen of it here, and never will be
	Starting                    // it runs here, and nothing of it gets out
	StartingLacks               // the same, and pages follow
	Filling                     // journalled: the VM is the target's, and pages follow
	Paused                      // the same, and the source is out of sight
	Owner                       // final, journalled: the VM is the target's, and all of it is here
)

// A TargetEvent is what the target learns.
type TargetEvent int

const (
	HasAll      TargetEvent = iota // all memory is there and checked
	HasEnough                      // what a start needs is there and checked; pages are to follow
	Trouble                        // an error here, or the source is out of sight
	SourceBack                     // the source is there again
	SourceAbort                    // the source keeps the VM
	SourceStart                    // the source has committed
	Owned                          // that the VM is the target's is on disk
	CannotStart                    // asked to start, and that, or the journal, failed
)

// Next returns the state that follows; an event that the protocol rules out is an error.
func (t Target) Next(e TargetEvent) (Target, error) {
	switch t {
	case Receiving:
		switch e {
		case HasAll:
			return Ready, nil
		case HasEnough:
			return ReadyLacks, nil
		}
		return Dropped, nil
	case Ready, ReadyLacks:
		switch e {
		case HasAll, HasEnough, Trouble, SourceBack:
			return t, nil // the source decides; ask it
		case SourceAbort, CannotStart:
			return Dropped, nil
		case SourceStart:
			if t == ReadyLacks {
				return StartingLacks, nil
			}
			return Starting, nil
		}
	case Starting, StartingLacks:
		switch e {
		case HasAll:
			return Starting, nil
		case Trouble, SourceBack, SourceStart, SourceAbort:
			return t, nil // an abort is late: of a source that died before it deleted its entry
		case CannotStart:
			return Dropped, nil
		case Owned:
			if t == StartingLacks {
				return Filling, nil
			}
			return Owner, nil
		}
	case Dropped:
		if e != HasAll && e != HasEnough && e != Owned {
			return Dropped, nil
		}
	case Filling, Paused:
		switch e {
		case HasAll:
			return Owner, nil
		case Trouble:
			return Paused, nil
		case SourceBack:
			return Filling, nil
		case SourceStart, SourceAbort: // repeated, late
			return t, nil
		}
	case Owner:
		switch e {
		case SourceStart, SourceAbort, Trouble, SourceBack, HasAll:
			return Owner, nil
		}
	}
	return t, fmt.Errorf("target is %v: %v cannot be", t, e)
}

// Owns says whether the VM is the target's: only then may anything of what it does get out.
func (t Target) Owns() bool { return t == Filling || t == Paused || t == Owner }

// MayRun says whether the target may let the VM run: where pages follow, up to the first one that
// it does not have.
func (t Target) MayRun() bool {
	return t == Starting || t == StartingLacks || t == Filling || t == Owner
}

// Recover is the target's state after a restart; owner says what its journal has, and lacks
// whether the VM's process lacks pages. What was received and not owned is dropped, though it may
// have run: its process is ended before anybody is answered.
func (Target) Recover(owner, lacks bool) Target {
	switch {
	case !owner:
		return Dropped
	case lacks:
		return Paused
	}
	return Owner
}

func (s Source) String() string {
	return [...]string{"sending", "written", "kept", "committed", "serving", "handed over"}[s]
}

func (e SourceEvent) String() string {
	return [...]string{"journalled", "target ready", "failed", "target started", "target lacks pages", "target not started"}[e]
}

func (t Target) String() string {
	return [...]string{"receiving", "ready", "ready but for pages", "dropped", "starting", "starting but for pages", "filling", "paused", "owner"}[t]
}

func (e TargetEvent) String() string {
	return [...]string{"has all", "has enough", "trouble", "source is back", "source aborts", "source starts", "owned", "cannot start"}[e]
}
