package vmproc

import (
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/node/vmproc/confine"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// Descriptors that a VM's process is started with.
const (
	fdControl  = 3 // connected to the daemon that started it
	fdListener = 4 // bound to the path by which later daemons find it
	fdLease    = 5 // optional: at its end, the process ends
)

// backlog is how many daemons may be waiting to take a process over.
const backlog = 8

// A child is the process of one VM, seen from within.
type child struct {
	machine func(vmm.Spec) (vmm.Machine, error)
	held    held
	found   []confine.Finding // how it is confined

	mu      sync.Mutex
	newest  *conn                     // of the daemon that came last
	daemon  *conn                     // that is served; nil while there is none
	calls   map[uint64]*serving       // that the daemon waits for
	wanted  map[uint64]chan<- *stream // streams that were asked for
	request uint64                    // the last of them
	guest   *hosted                   // nil while it is spare
	kept    *vmm.Kept                 // memory of a guest that has left; nil: none

	over chan struct{} // closed when the process is to end
	end  func()        // closes it
}

// Serve is the life of a VM's process. It returns when the process is to end.
func Serve(backend Backend, leased bool) error {
	// It has its socket and nothing else of the daemon's; where a SIGTERM goes to all of a
	// service, the daemon says what becomes of its VMs.
	ignoreSignals()
	if err := unix.Listen(fdListener, backlog); err != nil {
		return fmt.Errorf("listen for daemons: %w", err)
	}
	unix.CloseOnExec(fdListener)
	l, err := net.FileListener(os.NewFile(fdListener, "listener"))
	if err != nil {
		return fmt.Errorf("listen for daemons: %w", err)
	}
	control, err := unixConn(os.NewFile(fdControl, "control"))
	if err != nil {
		return err
	}
	c := &child{over: make(chan struct{})}
	c.held, c.machine = hold(backend)
	if c.found, err = confine.Apply(); err != nil {
		return fmt.Errorf("confine the process: %w", err)
	}
	c.end = sync.OnceFunc(func() { close(c.over) })
	if leased {
		go func() {
			os.NewFile(fdLease, "lease").Read(make([]byte, 1))
			c.end()
		}()
	}
	go c.accept(l)
	go c.serve(newConn(control))
	rehearse()
	<-c.over
	return nil
}

// accept lets later daemons take over.
func (c *child) accept(l net.Listener) {
	for {
		s, err := l.Accept()
		if err != nil {
			return
		}
		u := s.(*net.UnixConn) // the listener is a Unix socket's
		if !sameUser(u) {
			u.Close()
			continue
		}
		go c.serve(newConn(u))
	}
}

// sameUser says whether the other side is this process's user, or root.
func sameUser(u *net.UnixConn) bool {
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	_ = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		ok = err == nil && (cred.Uid == 0 || int(cred.Uid) == os.Getuid())
	})
	return ok
}

// serve answers one daemon, in place of the one before. What that has said last counts, though it
// may have died of it: it is acted on first.
func (c *child) serve(d *conn) {
	defer close(d.over)
	c.mu.Lock()
	before := c.newest
	c.newest = d
	c.mu.Unlock()
	if before != nil {
		_ = before.c.CloseRead() // it has ended then
		<-before.over
	}
	c.mu.Lock()
	c.forget()
	c.daemon = d
	c.mu.Unlock()
	for {
		m := new(pb.ToVM)
		files, err := d.receive(m)
		if err != nil {
			break
		}
		if m.GetEnd() != nil {
			c.end()
			return
		}
		c.take(d, m, files)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	c.daemon = nil
	d.c.Close()
	if c.newest == d && (c.guest == nil || !c.guest.outlives()) {
		c.end() // nobody will ever ask for it
	}
}

// forget calls off what a daemon that is gone had asked for. c.mu is held.
func (c *child) forget() {
	for _, s := range c.calls {
		s.cancel(errDaemonGone)
	}
	c.calls = make(map[uint64]*serving)
	for id, ch := range c.wanted {
		close(ch)
		delete(c.wanted, id)
	}
	c.wanted = make(map[uint64]chan<- *stream)
}

// tell says what happened by itself, if there is a daemon.
func (c *child) tell(m *pb.FromVM) {
	c.mu.Lock()
	d := c.daemon
	c.mu.Unlock()
	if d != nil {
		_ = d.send(m) // a daemon that is gone asks for the status when it comes back
	}
}
