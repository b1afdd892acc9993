// Package handover is the rule by which a VM has exactly one owner while it moves: the
// states of both sides and what takes them from one to the next, without input or output.
//
// A side asks Next before it acts, and journals a state that says so before it answers or
// acts on it. Messages may be lost, repeated or late, and either side may restart; what it
// has not journalled, it has forgotten.
package handover

import "fmt"

// A Source is the state of the side that has the VM first.
type Source int

const (
	Sending    Source = iota // the VM is the source's, running or at rest
	Kept                     // final: the move failed, the VM goes on at the source
	Committed                // journalled: the VM must not run at the source
	HandedOver               // final: the target has it
)

// A SourceEvent is what the source learns.
type SourceEvent int

const (
	TargetReady      SourceEvent = iota // the target answered that it has all, checked
	Failed                              // anything else before that: a refusal, an error, silence
	TargetStarted                       // the target answered that it owns the VM
	TargetNotStarted                    // the target answered that it has not started it and never will
)

// Next returns the state that follows; an event that the protocol rules out is an error.
func (s Source) Next(e SourceEvent) (Source, error) {
	switch {
	case s == Sending && e == TargetReady:
		return Committed, nil
	case s == Sending && e == Failed, s == Sending && e == TargetNotStarted:
		return Kept, nil
	case s == Committed && (e == Failed || e == TargetReady):
		return Committed, nil // an answer got lost: ask again
	case s == Committed && e == TargetStarted:
		return HandedOver, nil
	case s == Committed && e == TargetNotStarted:
		return Kept, nil
	case s == HandedOver && e != TargetNotStarted, s == Kept && e != TargetStarted:
		return s, nil // late or repeated
	}
	return s, fmt.Errorf("source is %v: %v cannot be", s, e)
}

// MayRun says whether the source may let the VM run.
func (s Source) MayRun() bool { return s == Sending || s == Kept }

// Recover is the source's state after a restart; committed says what its journal has.
func (Source) Recover(committed bool) Source {
	if committed {
		return Committed
	}
	return Kept
}

// A Target is the state of the side that is to get the VM.
type Target int

const (
	Receiving Target = iota // reserved; the source can still do anything
	Ready                   // has all and has said so: only the source can decide
	Dropped                 // final: not started, and never will be
	Owner                   // final, journalled: the VM is the target's
)

// A TargetEvent is what the target learns.
type TargetEvent int

const (
	HasAll      TargetEvent = iota // memory is there and checked
	Trouble                        // an error here, or the source is out of sight
	SourceAbort                    // the source keeps the VM
	SourceStart                    // the source has committed
	CannotStart                    // asked to start, and it failed before the guest ran
)

// Next returns the state that follows; an event that the protocol rules out is an error.
func (t Target) Next(e TargetEvent) (Target, error) {
	switch {
	case t == Receiving && e == HasAll:
		return Ready, nil
	case t == Receiving && e != HasAll:
		return Dropped, nil
	case t == Ready && (e == HasAll || e == Trouble):
		return Ready, nil // the source decides; ask it
	case t == Ready && (e == SourceAbort || e == CannotStart):
		return Dropped, nil
	case t == Ready && e == SourceStart:
		return Owner, nil
	case t == Dropped && e != HasAll:
		return Dropped, nil
	case t == Owner && (e == SourceStart || e == Trouble):
		return Owner, nil
	}
	return t, fmt.Errorf("target is %v: %v cannot be", t, e)
}

// MayRun says whether the target may let the VM run.
func (t Target) MayRun() bool { return t == Owner }

// Recover is the target's state after a restart; owner says what its journal has. Memory
// that it had received is gone.
func (Target) Recover(owner bool) Target {
	if owner {
		return Owner
	}
	return Dropped
}

func (s Source) String() string {
	return [...]string{"sending", "kept", "committed", "handed over"}[s]
}

func (e SourceEvent) String() string {
	return [...]string{"target ready", "failed", "target started", "target not started"}[e]
}

func (t Target) String() string {
	return [...]string{"receiving", "ready", "dropped", "owner"}[t]
}

func (e TargetEvent) String() string {
	return [...]string{"has all", "trouble", "source aborts", "source starts", "cannot start"}[e]
}
