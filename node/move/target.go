package move

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/channel"
	"github.com/migrated/migrated/node/handover"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Target is the place reserved for one VM that is on its way here.
type Target struct {
	Token    link.Token
	VM       *pb.VM
	From     *link.Link
	Guest    vmproc.VM // made, not started; it is the Target's until Own
	Keys     *channel.Keys
	Peer     channel.Digest // of the source's certificate
	Links    Links
	Timeouts Timeouts
	Log      *slog.Logger
	Node     context.Context // ends when this node shuts down

	// Arm gives Guest all that it needs to run but the time, and has it hold back what it prints.
	Arm func(Arrival) error
	// Fill begins to fetch what follows, as soon as the guest runs: it may need a page to come up.
	Fill func(Arrival)
	// Own makes this node the VM's owner: it journals so, and takes over Guest, which runs by then.
	Own func(Arrival) error
	// Started is called once that is on disk. From then on, what the guest does may be seen.
	Started func()
	// Drop frees the place and the guest of a move that came to nothing.
	Drop func(reason error)

	expected *link.Expected
	filling  *Filling
	cancel   context.CancelCauseFunc
	ctx      context.Context
	received chan struct{} // closed when memory is there, or will not come
	dropped  chan struct{} // closed when Drop has returned
	armed    chan struct{} // closed when Arm has returned; nil: it was not called
	armErr   error         // then

	mu         sync.Mutex
	state      handover.Target
	memory     *pb.Received
	receiveErr error
	arrival    Arrival
}

// An Arrival is what came with a VM beside its memory.
type Arrival struct {
	Left          *pb.Left // its wall is of this host's clock
	LogEnd        int64
	InputAccepted int64
	Missing       uint64         // pages that follow
	Rest          *link.Expected // brings them; the arrival's to Cancel
	Filling       *Filling       // takes them; nil: it came to nothing
}

// Receive begins to wait for the VM's memory, and drops everything should the link end
// before the VM is complete.
func (t *Target) Receive(hub *link.Hub) error {
	expected, err := hub.Expect(t.Token, t.From.Name())
	if err != nil {
		return err
	}
	t.expected = expected
	t.ctx, t.cancel = context.WithCancelCause(t.Node)
	t.received = make(chan struct{})
	t.dropped = make(chan struct{})
	t.filling = beginFilling(t.Node, t.Guest, &incoming{expected})
	go t.receive()
	go t.watchLink()
	return nil
}

func (t *Target) receive() {
	defer close(t.received)
	memory, err := t.receiveMemory()
	if memory.GetMissing() == 0 {
		go t.filling.stop()
		t.expected.Cancel()
	} // else more is to come, on other streams
	failed := t.filling.failed()
	t.mu.Lock()
	t.memory, t.receiveErr = memory, err
	if failed {
		t.filling = nil
	}
	t.mu.Unlock()
	if err == nil {
		return
	}
	if errors.Is(err, vmproc.ErrClosed) { // the source is about to say why
		select {
		case <-t.ctx.Done():
		case <-t.From.Done():
		case <-time.After(t.Timeouts.Stall):
		}
	}
	t.trouble(err)
}

func (t *Target) receiveMemory() (*pb.Received, error) {
	memory, err := t.Guest.Receive(t.ctx, &incoming{t.expected}, &pb.ReceiveOptions{
		// In the middle of a transfer the source may wait for the guest to leave its stack.
		StallTimeout: durationpb.New(t.Timeouts.Stall + t.Timeouts.Quiesce),
		// The source prepares and quiesces in this time, whatever it allows itself for that.
		FirstTimeout: durationpb.New(t.Timeouts.Prepare + t.Timeouts.Quiesce + t.Timeouts.Stall),
		PostCopy:     true,
		Offer:        true,
		Keys:         t.Keys.With(t.Peer),
		Direct:       true,
	}, nil)
	if err == nil && memory == nil {
		err = errNoMemory
	}
	return memory, err
}

// watchLink lets nothing lie about that a lost source will not send any more. Once the
// target is ready, the source alone decides, so it is asked.
func (t *Target) watchLink() {
	select {
	case <-t.From.Done():
		t.trouble(fmt.Errorf("the link to %s was lost", t.From.Name()))
		t.resolve()
	case <-t.ctx.Done():
	}
}

// trouble is anything that goes wrong here.
func (t *Target) trouble(reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(handover.Trouble, reason)
}

// enter asks the rule for the next state, and drops what is to be dropped. t.mu is held.
func (t *Target) enter(e handover.TargetEvent, reason error) {
	next, err := t.state.Next(e)
	if err != nil {
		t.Log.Error("hand-over", "vm", t.VM.Name, "err", err)
		return
	}
	before := t.state
	t.state = next
	if next != handover.Dropped || before == handover.Dropped {
		return
	}
	t.cancel(reason)
	armed := t.armed
	go func() {
		<-t.received // nobody writes into the guest's memory any more
		if t.filling != nil {
			t.filling.stop()
		}
		if armed != nil {
			<-armed
		}
		t.expected.Cancel()
		t.Drop(reason)
		close(t.dropped)
	}()
}

// Ready answers the source once all of the VM's memory is here: what it is.
func (t *Target) Ready(ctx context.Context, req *pb.ReadyRequest) (*pb.ReadyResponse, error) {
	if err := t.comes(req); err != nil {
		return nil, err
	}
	select {
	case <-t.received:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == handover.Dropped {
		return nil, fmt.Errorf("the move is off: %w", context.Cause(t.ctx))
	}
	if t.receiveErr != nil {
		t.enter(handover.Trouble, t.receiveErr)
		return nil, t.receiveErr
	}
	if req.Left == nil {
		if err := t.told(t.memory.AtRest); err != nil {
			t.enter(handover.Trouble, err)
			return nil, err
		}
	}
	t.arrival.Filling = t.filling
	if t.arrival.Missing = t.memory.Missing; t.arrival.Missing > 0 {
		t.enter(handover.HasEnough, nil)
	} else {
		t.enter(handover.HasAll, nil)
	}
	return &pb.ReadyResponse{Digest: t.memory.Digest, Missing: t.memory.Missing}, nil
}

// told takes what the source's process has told the one here. t.mu is held.
func (t *Target) told(a *pb.AtRest) error {
	if a == nil {
		return errors.New("the source's process did not say how the program left")
	}
	if err := vmproc.CheckAtRest(a); err != nil {
		return err
	}
	t.arrival.Left, t.arrival.LogEnd, t.arrival.InputAccepted = a.Left, a.LogEnd, a.InputAccepted
	return nil
}

// comes has the guest get ready, with what comes beside memory where the daemons are to tell that.
func (t *Target) comes(req *pb.ReadyRequest) error {
	var err error
	if req.Left != nil {
		err = vmproc.CheckAtRest(&pb.AtRest{Left: req.Left, LogEnd: req.LogEnd, InputAccepted: req.InputAccepted})
	} else if req.LogEnd != 0 || req.InputAccepted != 0 {
		err = errors.New("offsets of log and input without how the program left")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.state == handover.Dropped:
		return fmt.Errorf("the move is off: %w", context.Cause(t.ctx))
	case err == nil && t.armed != nil:
		err = errors.New("it was asked before to get ready")
	}
	if err != nil {
		t.enter(handover.Trouble, err)
		return err
	}
	t.arrival = Arrival{Left: req.Left, LogEnd: req.LogEnd, InputAccepted: req.InputAccepted, Rest: t.expected}
	t.arm()
	return nil
}

// arm gets the guest ready while the last of its memory comes. t.mu is held.
func (t *Target) arm() {
	if t.armed != nil || t.state == handover.Dropped {
		return
	}
	t.armed = make(chan struct{})
	arrival := t.arrival
	go func() {
		defer close(t.armed)
		if t.armErr = t.Arm(arrival); t.armErr != nil && arrival.Left == nil {
			t.trouble(t.armErr) // the guest at the source need not be stopped
		}
	}()
}

// Start lets the VM run and makes it this node's, or says that it never will.
func (t *Target) Start(req *pb.StartRequest) *pb.StartResponse {
	answer := t.start(req)
	if !answer.Started { // it may have run, so the source hears of it when its process has ended
		<-t.dropped
	}
	return answer
}

func (t *Target) start(req *pb.StartRequest) *pb.StartResponse {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Owns() {
		return &pb.StartResponse{Started: true, Repeated: true, Lacks: t.arrival.Missing > 0}
	}
	if t.state == handover.Ready || t.state == handover.ReadyLacks {
		return t.startReady(req.SinceLeft.AsDuration() + req.RoundTrip.AsDuration()/2)
	}
	t.enter(handover.SourceStart, errors.New("asked to start before all was here"))
	return &pb.StartResponse{Reason: fmt.Sprint("the move is off: ", context.Cause(t.ctx))}
}

// startReady starts a VM that stopped some time ago. It runs before the journal says that it is
// this node's, and nothing of it gets out until then. t.mu is held.
func (t *Target) startReady(stopped time.Duration) *pb.StartResponse {
	at := time.Now()
	<-t.armed
	err := t.armErr
	if err == nil {
		// The guest's clock goes on by the time since it left. Measured that way and not by the
		// two hosts' clocks, their disagreement does not show.
		err = t.Guest.Go(at.Add(-stopped))
	}
	if err == nil {
		t.enter(handover.SourceStart, nil)
		t.Fill(t.arrival)
		err = t.Own(t.arrival)
	}
	if err != nil {
		t.enter(handover.CannotStart, err)
		return &pb.StartResponse{Reason: err.Error()}
	}
	t.enter(handover.Owned, nil)
	t.Guest.Release()
	t.cancel(errors.New("the VM runs"))
	t.Started()
	answer := &pb.StartResponse{Started: true, Lacks: t.arrival.Missing > 0}
	if resumed, ok := t.awaitResumed(); ok {
		answer.SinceResumed = durationpb.New(time.Since(resumed))
	}
	return answer
}

// awaitResumed waits until the guest runs, so that the downtime can be told. One that does
// not come up is this node's all the same.
func (t *Target) awaitResumed() (time.Time, bool) {
	ctx, cancel := context.WithTimeout(t.Node, t.Timeouts.Stall/2)
	defer cancel()
	return t.Guest.AwaitResumed(ctx)
}

// Abort drops the place: the source keeps the VM. It returns why this side had given up
// before, if it had.
func (t *Target) Abort(reason string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == handover.Dropped {
		return fmt.Sprint(context.Cause(t.ctx))
	}
	t.enter(handover.SourceAbort, fmt.Errorf("%s keeps it: %s", t.From.Name(), reason))
	return ""
}

// resolve asks a source that was lost what it decided, until it says.
func (t *Target) resolve() {
	for {
		t.mu.Lock()
		undecided := t.state == handover.Ready || t.state == handover.ReadyLacks
		t.mu.Unlock()
		if !undecided {
			return
		}
		verdict, err := t.askSource()
		if err != nil {
			t.Log.Debug("ask what became of a move", "vm", t.VM.Name, "err", err)
		}
		switch verdict.GetVerdict() {
		case pb.Verdict_VERDICT_ABORTED:
			t.Abort("it went on there")
			return
		case pb.Verdict_VERDICT_COMMITTED:
			t.Start(&pb.StartRequest{SinceLeft: verdict.SinceLeft})
			return
		}
		if !Pause(t.Node, 100*time.Millisecond) {
			return
		}
	}
}

func (t *Target) askSource() (*pb.ResolveResponse, error) {
	ctx, cancel := context.WithTimeout(t.Node, t.Timeouts.Stall)
	defer cancel()
	l, err := linkTo(ctx, t.Links, t.From.Name(), t.From.Peer().Id)
	if err != nil {
		return nil, err
	}
	return l.Client().Resolve(ctx, &pb.ResolveRequest{Token: t.Token[:]})
}

// Gone is closed when a move that came to nothing has left nothing behind.
func (t *Target) Gone() <-chan struct{} { return t.dropped }

// Dropped says whether the move came to nothing.
func (t *Target) Dropped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == handover.Dropped
}
