package vmproc

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/vmm"
)

// When a VM has left for good, its process can keep its memory, in case the VM returns: what has
// not changed by then need not travel again. There is no guest any more that could run on it. The
// kernel may take the memory back whenever it is short of any, page by page: pages are offered by
// what they hold when the VM returns, so a page that was lost is one that travels.

// Kept is the memory of a VM that has left, in a process that can be that VM's again: Spec.Kept.
type Kept interface {
	// Bytes is how much memory it is.
	Bytes() uint64
	// Done is closed when it is gone.
	Done() <-chan struct{}
	// Close frees it.
	Close() error
}

var (
	_ Kept = (*Process)(nil)

	errNothingKept = errors.New("the VM's process could keep nothing")
	errOtherStream = errors.New("the VM's process is of another version than the daemon: it could not receive what has changed")
)

// Keep implements VM.
func (p *Process) Keep(ctx context.Context) (Kept, error) {
	kept, err := p.keep(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep a VM's memory: %w", err), p.Close())
	}
	return kept, nil
}

// keep has the process serve a new connection: with this one, all that waits for the VM ends.
func (p *Process) keep(ctx context.Context) (Kept, error) {
	p.mu.Lock()
	other := p.status.GetStream() != spoken
	p.mu.Unlock()
	if other {
		return nil, errOtherStream
	}
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_Keep{Keep: &pb.ProcessKeep{}}}, nil, nil)
	if err != nil {
		return nil, err
	}
	bytes := a.GetKept().GetBytes()
	if bytes == 0 {
		return nil, errNothingKept
	}
	p.mu.Lock()
	p.leaving = true
	p.mu.Unlock()
	kept, _, err := attach(ctx, p.directory(), Hooks{}, p.log)
	if err != nil {
		p.mu.Lock()
		p.leaving = false
		p.mu.Unlock()
		return nil, err
	}
	kept.kept, kept.group, kept.grouped = bytes, p.group, p.grouped
	p.conn.c.Close()
	<-p.gone
	unix.Close(p.pidfd)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		select {
		case <-p.done:
		default:
			close(p.done)
		}
	}
	return kept, nil
}

// Bytes implements Kept.
func (p *Process) Bytes() uint64 { return p.kept }

// reuse returns the process that keeps a VM's memory; nil: there is none any more.
func reuse(kept Kept) *Process {
	p, ok := kept.(*Process)
	if !ok {
		return nil
	}
	select {
	case <-p.gone:
		_ = p.Close()
		return nil
	default:
		return p
	}
}

// keep frees the process's guest but for its memory, and returns how much that is.
func (c *child) keep(h *hosted) (uint64, error) {
	h.mu.Lock()
	leaves := h.state == pb.ProcessState_PROCESS_STATE_AT_REST || // or never ran:
		h.state == pb.ProcessState_PROCESS_STATE_MADE || h.state == pb.ProcessState_PROCESS_STATE_ARMED
	if !leaves || h.ended != nil || h.kept {
		h.mu.Unlock()
		return 0, errors.New("the guest runs, or has ended")
	}
	h.kept = true // it will not run again
	h.mu.Unlock()
	h.using.Lock()
	var kept *vmm.Kept
	var err error
	if c.held.area != nil {
		err = c.held.area.Unwatch() // it may have come, and be given back, half filled
	}
	if err == nil {
		kept, err = h.g.Keep()
	}
	h.using.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guest = nil
	if kept == nil || err != nil {
		return 0, err
	}
	c.kept = kept
	used := statexfer.InUse(kept.Portable, c.held.pageMap).Count() * statexfer.PageSize
	// A kernel that cannot do that keeps it all.
	_ = unix.Madvise(kept.Portable, unix.MADV_FREE)
	return max(used, statexfer.PageSize), nil
}

// takeKept returns the memory that was kept for a guest with that much, or else frees it.
func (c *child) takeKept(memory uint64) *vmm.Kept {
	c.mu.Lock()
	kept := c.kept
	c.kept = nil
	c.mu.Unlock()
	if kept == nil || uint64(len(kept.Portable)) == memory {
		return kept
	}
	_ = unix.Munmap(kept.Mapping) // it was mapped
	return nil
}

// claim makes the kernel take no page of memory back any more: a page that was written to after
// MADV_FREE is a page as any other (madvise(2)).
func claim(mem []byte, used statexfer.Bitmap) {
	pages := uint64(len(mem)) / statexfer.PageSize
	for p := used.Next(0, pages); p < pages; p = used.Next(p+1, pages) {
		atomic.AddUint32((*uint32)(unsafe.Pointer(&mem[p*statexfer.PageSize])), 0)
	}
}

// A keeper is a guest whose memory may hold pages of its VM, or could.
type keeper interface {
	Kept() bool         // memory is of an earlier stay of the VM
	PlaceStatic() error // writes the image's initial data
}

// prepare makes memory hold what is to be offered, and says whether it holds anything.
func (e *liveReceiver) prepare() (bool, error) {
	g, ok := e.g.(keeper)
	if !ok || !e.opt.Offer {
		return false, nil
	}
	if g.Kept() {
		claim(e.g.Memory(), statexfer.InUse(e.g.Memory(), e.pageMap))
		return true, nil
	}
	return true, g.PlaceStatic()
}
