package vmproc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A hosted guest is the one that this process has.
type hosted struct {
	child *child
	g     *vmm.Guest
	isa   string
	log   logWriter
	input feeder
	using sync.RWMutex // held for reading while a move uses the guest's memory

	mu       sync.Mutex
	state    pb.ProcessState // but for ENDED, which ended says
	armed    *pb.ProcessArm
	ready    chan struct{} // closed when it is armed, perhaps without how the guest left
	resumed  int64         // ns of the host's monotonic clock
	sender   sender
	receiver receiver
	receives chan struct{} // closed when there is a receiver
	moving   bool          // the sender sends
	kept     bool          // the guest is no more, its memory is
	sent     *pb.Sent      // in AT_REST
	commits  bool          // in AT_REST: the guest may be another node's
	allowed  []byte        // token of the move that may be committed here
	told     bool          // the source's process had it start
	ended    *pb.ProcessEnded
}

// makeGuest makes the process's guest of what a daemon says.
func (c *child) makeGuest(m *pb.ProcessMake, files []*os.File) error {
	c.mu.Lock()
	taken := c.guest != nil
	c.mu.Unlock()
	if taken {
		return errors.New("this process has a guest already")
	}
	cfg, err := image.ParseConfig(m.Config)
	if err != nil {
		return err
	}
	build, contents, err := mapBuild(cfg, m, files)
	if err != nil {
		return err
	}
	h := &hosted{child: c, isa: m.Isa, state: pb.ProcessState_PROCESS_STATE_MADE, ready: make(chan struct{}), receives: make(chan struct{})}
	h.log.init(c)
	config := vmm.Config{
		Spec:    vmm.Spec{Image: cfg, Build: build, Memory: m.Memory, Resume: m.Resume},
		Args:    m.Args,
		Env:     m.Env,
		Output:  h.log.write,
		Resumed: h.noteResumed,
		Log: func(text string) {
			c.tell(&pb.FromVM{Message: &pb.FromVM_Said{Said: &pb.ProcessSaid{Text: text}}})
		},
		Machine: c.machine,
	}
	for _, f := range m.Files {
		if f.Size > uint64(len(contents)) {
			return errors.New("files are shorter than was said")
		}
		config.Files = append(config.Files, vmm.File{
			Path: f.Path, Mode: f.Mode, ModTime: time.Unix(0, f.MtimeNs), Data: contents[:f.Size],
		})
		contents = contents[f.Size:]
	}
	if config.Kept = c.takeKept(m.Memory); !m.Resume && config.Kept != nil {
		return errors.New("memory was kept for a guest that does not resume")
	}
	if h.g, err = vmm.New(config); err != nil {
		return err
	}
	c.mu.Lock()
	c.guest = h
	c.mu.Unlock()
	go h.watch()
	return nil
}

// mapBuild maps the executable and the symbols, and the contents of files where there are.
func mapBuild(cfg *image.Config, m *pb.ProcessMake, files []*os.File) (*image.Build, []byte, error) {
	if len(files) < 2 {
		return nil, nil, fmt.Errorf("%d descriptors with a build", len(files))
	}
	b := &image.Build{ISA: isa.ByName(m.Isa)}
	for _, info := range cfg.Builds {
		if info.ISA == m.Isa && info.Level == m.Level {
			b.Info = info
		}
	}
	if b.ISA == nil || b.Info.ISA == "" {
		return nil, nil, fmt.Errorf("the image has no build %s/%s", m.Isa, m.Level)
	}
	var contents []byte
	var err error
	if b.Exec, err = mapFile(files[0]); err == nil {
		b.Debug, err = mapFile(files[1])
	}
	if err == nil && len(files) > 2 {
		contents, err = mapFile(files[2])
	}
	return b, contents, err
}

// arm takes over the log and what the guest is to start from.
func (h *hosted) arm(a *pb.ProcessArm, files []*os.File) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != pb.ProcessState_PROCESS_STATE_MADE {
		return errors.New("the guest has been armed already")
	}
	if a.Vm == nil {
		return errors.New("armed without a record")
	}
	if err := h.log.open(files[0], a.LogBase, a.Hold); err != nil {
		return err
	}
	files[0] = nil // the log has it
	h.input.set(a.InputAccepted)
	a.Vm.Confinement = h.child.confinement() // the daemon may not have heard of it
	h.armed, h.state = a, pb.ProcessState_PROCESS_STATE_ARMED
	close(h.ready)
	return nil
}

// comes takes from the source's process what a guest that was armed early starts from.
func (h *hosted) comes(a *pb.AtRest) error {
	if err := CheckAtRest(a); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != pb.ProcessState_PROCESS_STATE_ARMED || h.armed.Left != nil {
		return errors.New("the source's process says how the guest left before it was asked, or again")
	}
	h.armed.Left, h.armed.LogBase, h.armed.InputAccepted = a.Left, a.LogEnd, a.InputAccepted
	h.log.rebase(a.LogEnd)
	h.input.set(a.InputAccepted)
	return nil
}

// start lets an armed guest run, unless the source's process did. at is when it had left, where the
// daemon knows that only now.
func (h *hosted) start(at *timestamppb.Timestamp) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told {
		return nil
	}
	return h.startLocked(at)
}

// startTold lets the guest run because the source's process says so. Where it fails the daemon finds
// that it has not run.
func (h *hosted) startTold(ctx context.Context, left time.Time) {
	h.mu.Lock()
	if ctx.Err() == nil {
		h.told = h.startLocked(timestamppb.New(left)) == nil
	}
	h.mu.Unlock()
	runtime.Gosched() // the guest's goroutine need not wait for what is left to do here
}

// startLocked is start. h.mu is held.
func (h *hosted) startLocked(at *timestamppb.Timestamp) error {
	if h.state != pb.ProcessState_PROCESS_STATE_ARMED {
		return errors.New("the guest is not ready to be started, or was")
	}
	var left *vmm.Left
	if h.armed.Left != nil {
		if at != nil {
			h.armed.Left.Wall = at
		}
		var err error
		if left, err = LeftFromWire(h.armed.Left); err != nil {
			return err
		}
	}
	if err := h.g.Start(left); err != nil {
		return err
	}
	h.state = pb.ProcessState_PROCESS_STATE_RUNNING
	return nil
}

// goOn lets a guest at rest go on.
func (h *hosted) goOn() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == pb.ProcessState_PROCESS_STATE_RUNNING {
		return nil // asked for twice
	}
	if h.state != pb.ProcessState_PROCESS_STATE_AT_REST {
		return errors.New("the guest is not at rest")
	}
	if err := h.g.Continue(); err != nil {
		return err
	}
	h.state, h.sent, h.sender, h.commits = pb.ProcessState_PROCESS_STATE_RUNNING, nil, nil, false
	return nil
}

// confinement is how this process is confined.
func (c *child) confinement() []*pb.Confinement {
	var all []*pb.Confinement
	for _, f := range c.found {
		all = append(all, &pb.Confinement{Means: f.Means, Answer: f.Answer.String(), Note: f.Note})
	}
	return all
}

// allow lets the process commit to a move by itself.
func (h *hosted) allow(token []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.allowed = token
}

// commit notes that the guest may be another node's.
func (h *hosted) commit() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits = h.state == pb.ProcessState_PROCESS_STATE_AT_REST
	if h.commits {
		h.sender.commit()
	}
}

// outlives says whether the process goes on without a daemon: from the moment when the next
// one may count on it.
func (h *hosted) outlives() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state != pb.ProcessState_PROCESS_STATE_MADE
}

func (h *hosted) noteResumed() {
	h.mu.Lock()
	h.resumed = monotonic()
	at, e := h.resumed, h.receiver
	h.mu.Unlock()
	if e != nil {
		e.up()
	}
	h.child.tell(&pb.FromVM{Message: &pb.FromVM_Resumed{Resumed: &pb.ProcessResumed{At: at}}})
}

// watch tells of the guest's end. Its memory is freed; how it ended waits for a daemon.
func (h *hosted) watch() {
	<-h.g.Done()
	h.log.close()
	h.mu.Lock()
	kept := h.kept
	h.mu.Unlock()
	if kept { // the daemon has ended it
		return
	}
	exit := exitToWire(h.isa, h.g.Exit())
	h.using.Lock()
	err := h.g.Close()
	h.using.Unlock()
	h.mu.Lock()
	h.ended = &pb.ProcessEnded{Exit: exit, LogEnd: h.log.end(), Time: timestamppb.Now()}
	ended := proto.CloneOf(h.ended)
	h.mu.Unlock()
	if err != nil {
		h.child.tell(&pb.FromVM{Message: &pb.FromVM_Said{Said: &pb.ProcessSaid{Text: "free the machine: " + err.Error()}}})
	}
	h.child.tell(&pb.FromVM{Message: &pb.FromVM_Ended{Ended: ended}})
}

// status is how the guest does.
func (h *hosted) status() *pb.ProcessStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &pb.ProcessStatus{
		State:         h.state,
		LogEnd:        h.log.end(),
		InputAccepted: h.input.count(),
		InputEof:      h.input.closed(),
		ResumedAt:     h.resumed,
		Ended:         h.ended,
		Sent:          h.sent,
		PostCopy:      h.child.held.area != nil,
		Remembers:     true,
		Tells:         true,
		Committed:     h.commits,
		Held:          h.log.held(),
	}
	if h.receiver != nil {
		s.Missing = h.receiver.missing()
	}
	if h.armed != nil {
		s.Vm, s.LogBase = h.armed.Vm, h.armed.LogBase
	}
	s.Confinement = h.child.confinement()
	if h.ended != nil {
		s.State = pb.ProcessState_PROCESS_STATE_ENDED
	}
	return proto.CloneOf(s)
}
