package kvm

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A kicker takes a virtual CPU out of KVM_RUN. The flag immediate_exit ends a KVM_RUN that
// begins, a signal one that is under way.
//
// The signal is SIGURG: Go's runtime sends it to its own threads to preempt them, so it
// expects it at any moment, and takes one too many for nothing.
type kicker struct {
	mu      sync.Mutex
	run     *runPage // nil when there is no virtual CPU
	thread  int      // that is in Run, or 0
	pending bool
}

func (k *kicker) attach(run *runPage) {
	k.mu.Lock()
	k.run = run
	k.mu.Unlock()
}

func (k *kicker) detach() {
	k.mu.Lock()
	k.run = nil
	k.mu.Unlock()
}

// enter says that this thread, to which its goroutine is locked, will run the virtual CPU.
func (k *kicker) enter() {
	k.mu.Lock()
	k.thread = unix.Gettid()
	k.mu.Unlock()
}

func (k *kicker) leave() {
	k.mu.Lock()
	k.thread = 0
	k.mu.Unlock()
}

func (k *kicker) kick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.run == nil {
		return
	}
	k.pending = true
	atomic.StoreUint32(&k.run.request, immediateExit)
	if k.thread != 0 {
		unix.Tgkill(unix.Getpid(), k.thread, unix.SIGURG)
	}
}

// take says whether there was a kick, and makes it undone.
func (k *kicker) take() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.pending
	k.pending = false
	atomic.StoreUint32(&k.run.request, 0)
	return was
}
