package vmproc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
)

var errDaemonGone = errors.New("the daemon that asked for it is gone")

// ignoreSignals leaves the process's end to its daemon, its lease and SIGKILL.
func ignoreSignals() {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
}

// A serving is a call under way.
type serving struct {
	child  *child
	daemon *conn
	id     uint64
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// take acts on a message of the daemon's.
func (c *child) take(d *conn, m *pb.ToVM, files []*os.File) {
	switch r := m.Request.(type) {
	case *pb.ToVM_Cancel:
		closeAll(files)
		c.mu.Lock()
		s := c.calls[r.Cancel.Call]
		c.mu.Unlock()
		if s != nil {
			s.cancel(errors.New(r.Cancel.Reason))
		}
		return
	case *pb.ToVM_Commit, *pb.ToVM_Release:
		closeAll(files)
		c.mu.Lock()
		h := c.guest
		c.mu.Unlock()
		if h == nil {
			return
		}
		if c := m.GetCommit(); len(c.GetAhead()) > 0 {
			h.allow(c.Ahead)
		} else if c != nil {
			h.commit()
		} else {
			h.log.release()
		}
		return
	case *pb.ToVM_Stream:
		c.deliver(r.Stream, files)
		return
	}
	s := &serving{child: c, daemon: d, id: m.Call}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	c.mu.Lock()
	current := c.daemon == d
	if current {
		c.calls[m.Call] = s
	}
	c.mu.Unlock()
	if !current {
		closeAll(files)
		return
	}
	// In the order in which they came, but those that last.
	if lasts(m) {
		go s.answer(m, files)
		return
	}
	s.answer(m, files)
}

func lasts(m *pb.ToVM) bool {
	switch m.Request.(type) {
	case *pb.ToVM_Send, *pb.ToVM_Receive, *pb.ToVM_Drain, *pb.ToVM_Fill, *pb.ToVM_Input:
		return true
	}
	return false
}

// answer does what was asked and says what came of it.
func (s *serving) answer(m *pb.ToVM, files []*os.File) {
	a, err := s.do(m, files)
	closeAll(files)
	if a == nil {
		a = new(pb.FromVM)
	}
	a.Call, a.Error = s.id, errorToWire(err)
	s.child.mu.Lock()
	delete(s.child.calls, s.id)
	s.child.mu.Unlock()
	s.cancel(nil)
	_ = s.daemon.send(a) // a daemon that is gone asks again
}

// do is one call. The files are closed when it returns.
func (s *serving) do(m *pb.ToVM, files []*os.File) (*pb.FromVM, error) {
	c := s.child
	if r, ok := m.Request.(*pb.ToVM_Make); ok {
		if err := c.makeGuest(r.Make, files); err != nil {
			return nil, err
		}
		return status(c.guest.status()), nil
	}
	c.mu.Lock()
	h := c.guest
	c.mu.Unlock()
	if h == nil {
		if _, ok := m.Request.(*pb.ToVM_TakeOver); ok {
			return status(&pb.ProcessStatus{State: pb.ProcessState_PROCESS_STATE_SPARE}), nil
		}
		return nil, errors.New("this process has no guest yet")
	}
	switch r := m.Request.(type) {
	case *pb.ToVM_TakeOver:
		return status(h.status()), nil
	case *pb.ToVM_Arm:
		if len(files) != 1 {
			return nil, fmt.Errorf("%d descriptors with the log", len(files))
		}
		err := h.arm(r.Arm, files)
		if err == nil && r.Arm.Start {
			err = h.start(nil)
		}
		return nil, err
	case *pb.ToVM_Go:
		return nil, h.start(r.Go.Left)
	case *pb.ToVM_Send:
		sent, err := h.send(s.ctx, s, r.Send, s.progress)
		return &pb.FromVM{Message: &pb.FromVM_Sent{Sent: sent}}, err
	case *pb.ToVM_Continue:
		return nil, h.goOn()
	case *pb.ToVM_Drain:
		return nil, h.drain(s.ctx, s, s.progress)
	case *pb.ToVM_Receive:
		received, err := h.receive(s.ctx, s, r.Receive, s.progress)
		return &pb.FromVM{Message: &pb.FromVM_Received{Received: received}}, err
	case *pb.ToVM_Fill:
		faults, err := h.fill(s.ctx, s, s.progress)
		return &pb.FromVM{Message: &pb.FromVM_Filled{Filled: &pb.ProcessFilled{Faults: faults}}}, err
	case *pb.ToVM_Input:
		accepted, err := h.input.write(h.g.Input(), r.Input.Offset, r.Input.Data, r.Input.Eof)
		return &pb.FromVM{Message: &pb.FromVM_Accepted{Accepted: &pb.ProcessAccepted{Accepted: accepted}}}, err
	case *pb.ToVM_Keep:
		bytes, err := c.keep(h)
		return &pb.FromVM{Message: &pb.FromVM_Kept{Kept: &pb.ProcessKept{Bytes: bytes}}}, err
	case *pb.ToVM_Stop:
		h.g.Stop(r.Stop.Grace.AsDuration())
		return nil, nil
	}
	return nil, errors.New("this process does not know that request: it is of another version than the daemon")
}

// spoken is the version of the memory stream that this program speaks.
var spoken uint32 = statexfer.Version

func status(s *pb.ProcessStatus) *pb.FromVM {
	s.Stream = spoken
	return &pb.FromVM{Message: &pb.FromVM_Status{Status: s}}
}

// progress tells how a call does that goes on.
func (s *serving) progress(p *pb.MoveProgress) {
	_ = s.daemon.send(&pb.FromVM{Call: s.id, Message: &pb.FromVM_Progress{Progress: proto.CloneOf(p)}})
}
