package vmm

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// lastOutput is how long a guest that was killed waits for its output to be taken.
const lastOutput = time.Second

// loop runs the guest until it has ended. It stays on one thread of the system: KVM binds a
// virtual CPU to the thread that runs it, and a change costs up to a grace period of RCU.
func (g *Guest) loop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	exit := g.serve()
	abandon := g.killed
	if g.isKilled() {
		abandon = make(chan struct{})
		defer time.AfterFunc(lastOutput, func() { close(abandon) }).Stop()
	}
	if err := g.out.flush(abandon); err != nil && exit.Crash == nil {
		exit = brokeContract(err)
	}
	close(g.out.quit)
	g.alarm.clear()
	g.mu.Lock()
	g.finish(exit)
	g.mu.Unlock()
}

// finish enters the last state. g.mu is held.
func (g *Guest) finish(exit Exit) {
	g.in.end(g.state == parked)
	g.state, g.exit, g.left = ended, exit, nil
	close(g.done)
}

// serve answers the guest until it ends, and says how it did.
func (g *Guest) serve() Exit {
	for {
		stop, err := g.machine.Run()
		switch {
		case g.isKilled():
			return g.killExit // written before killed was closed
		case err != nil:
			return Exit{Code: exitKilled, Signal: signalKill, Crash: &Crash{Message: "the host cannot run it: " + err.Error()}}
		}
		switch stop.Kind {
		case StopKicked:
			g.takeRest()
		case StopFault:
			return g.faulted(stop.Fault)
		case StopDoorbell:
			if exit := g.answer(); exit != nil {
				return *exit
			}
		}
	}
}

// answer does what the guest rang for; a result ends the guest.
func (g *Guest) answer() *Exit {
	op := g.ctl.Op
	arg := g.ctl.Arg
	var err error
	g.in.room()
	switch op {
	case hostabi.OpFlush:
		if arg[0] == 0 {
			g.out.soon()
		} else {
			err = g.out.flush(g.killed)
		}
	case hostabi.OpWait:
		g.out.idle()
		g.wait(arg[0])
	case hostabi.OpLeft:
		if err = g.out.flush(g.killed); err == nil {
			err = g.park()
		}
	case hostabi.OpResumed:
		g.resumed.Store(int64(time.Since(epoch)))
		g.cfg.Resumed()
	case hostabi.OpAlarm:
		g.alarm.set(arg[0])
	case hostabi.OpClock:
		err = g.writeClock()
	case hostabi.OpLog:
		g.cfg.Log(g.text(arg[0], arg[1]))
	case hostabi.OpRecords:
		err = g.records(arg[0], arg[1])
	case hostabi.OpExit:
		return exited(arg[0], arg[1])
	case hostabi.OpPanic:
		return g.panicked(g.text(arg[0], arg[1]), arg[2], arg[3])
	default:
		err = fmt.Errorf("unknown doorbell operation %d", op)
	}
	if err != nil {
		exit := brokeContract(err)
		return &exit
	}
	g.ctl.Ret = 0
	return nil
}

// wait blocks until something is pending, the guest's clock reaches deadline, or the guest
// is killed.
func (g *Guest) wait(deadline uint64) {
	for atomic.LoadUint32(&g.ctl.Pending)&^hostabi.PendCount == 0 {
		var timer <-chan time.Time
		if deadline != hostabi.WaitForever {
			d := g.clock.until(deadline, time.Now())
			if d == 0 {
				return
			}
			timer = time.After(d)
		}
		select {
		case <-g.poke:
		case <-timer:
		case <-g.killed:
			return
		}
	}
}

// park keeps a guest that has left off its processor for as long as a move takes. One that
// nobody waits for any more resumes at once.
func (g *Guest) park() error {
	unread, eof, err := g.in.leave()
	if err != nil {
		return err
	}
	g.alarm.clear()
	now := time.Now()
	left := &Left{
		Mono:     g.clock.now(now),
		Wall:     now,
		Threads:  g.ctl.LeftThreads,
		Frames:   g.ctl.LeftFrames,
		Bytes:    g.ctl.LeftBytes,
		Input:    unread,
		InputEOF: eof,
	}
	g.mu.Lock()
	if g.waiter == nil && g.leaveAt == 0 {
		defer g.mu.Unlock()
		atomic.AndUint32(&g.ctl.Pending, ^uint32(hostabi.PendMigrate))
		g.in.hold(false)
		return g.refresh()
	}
	g.state, g.left = parked, left
	if g.waiter != nil {
		left.Quiesce = now.Sub(g.asked)
		g.waiter <- left
		g.waiter = nil
	}
	g.mu.Unlock()
	select {
	case <-g.goOn:
	case <-g.killed:
	}
	return nil
}

// post sets pending bits and ends a WAIT.
func (g *Guest) post(bits uint32) {
	g.mu.Lock()
	if !g.closed {
		atomic.OrUint32(&g.ctl.Pending, bits)
	}
	g.mu.Unlock()
	select {
	case g.poke <- struct{}{}:
	default:
	}
}

// Stop asks the guest to end, and ends it after the grace period.
func (g *Guest) Stop(grace time.Duration) {
	g.post(hostabi.PendStop)
	go func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			g.kill(Exit{Code: exitKilled, Signal: signalKill})
		case <-g.done:
		}
	}()
}

// kill ends the guest whatever it does.
func (g *Guest) kill(exit Exit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state == ended || g.isKilled():
	case g.state == created:
		g.finish(exit)
	default:
		g.killExit = exit
		close(g.killed)
		g.machine.Kick()
	}
}

// fail ends a guest that does not keep to the contract.
func (g *Guest) fail(err error) { g.kill(brokeContract(err)) }

func (g *Guest) isKilled() bool {
	select {
	case <-g.killed:
		return true
	default:
		return false
	}
}
