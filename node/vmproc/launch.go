package vmproc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/vmproc/cgroup"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Files in a process's directory.
const (
	socketName = "socket"
	stderrName = "stderr"
)

// sparePrefix begins the names of directories of processes that are no VM's yet.
const sparePrefix = "spare-"

// A Launcher starts the processes of a daemon's VMs, and finds those that an earlier daemon
// left. One process is always ready: a VM that starts does not wait for it.
type Launcher struct {
	cfg LauncherConfig

	mu        sync.Mutex
	spare     *Process
	refilling bool
	closed    bool
	refill    sync.WaitGroup

	buildMu sync.Mutex
	build   *image.Build // whose files these are: what ran last runs again
	files   [2]*os.File  // executable, symbols
}

// LauncherConfig says how processes are started.
type LauncherConfig struct {
	Dir     string   // has a directory for each process
	Command []string // what Serve is called by; nil: this program's "vm"
	Lease   *os.File // where not nil, processes end with what it is read from
	Log     *slog.Logger

	Groups   *cgroup.Tree // where each process gets a control group; nil: it gets none
	NoGroups error        // then: why
	CPUs     float64      // processors that a VM may take, where there are groups; 0: all
}

// NewLauncher makes the directory. Nothing is started before Left is called: until then
// another daemon may have it.
func NewLauncher(cfg LauncherConfig) (*Launcher, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for VMs: %w", err)
	}
	if cfg.Command == nil {
		cfg.Command = []string{"/proc/self/exe", "vm"}
	}
	return &Launcher{cfg: cfg}, nil
}

// Make makes a VM in a process of its own.
func (l *Launcher) Make(ctx context.Context, spec *Spec, hooks Hooks) (VM, error) {
	files, closeFiles, err := l.open(spec)
	if err != nil {
		return nil, err
	}
	defer closeFiles()
	p := reuse(spec.Kept)
	if p == nil {
		if p, err = l.take(); err != nil {
			return nil, err
		}
	}
	if err := p.become(l.directoryOf(spec), hooks); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	m := &pb.ProcessMake{
		Config: spec.Image, Isa: spec.Build.Info.ISA, Level: spec.Build.Info.Level,
		Memory: spec.Memory, Resume: spec.Resume, Args: spec.Args, Env: spec.Env,
	}
	for _, f := range spec.Files {
		m.Files = append(m.Files, &pb.ProcessFile{Path: f.Path, Mode: f.Mode, MtimeNs: f.ModTime.UnixNano(), Size: uint64(len(f.Data))})
	}
	a, err := p.make(ctx, m, files, spec)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.mu.Lock()
	p.status = a.GetStatus()
	l.limit(p, spec.Memory)
	p.mu.Unlock()
	return p, nil
}

// make asks the process for its guest, and to arm it where the spec says so. Between the two it
// need not be heard: what cannot be made cannot be armed.
func (p *Process) make(ctx context.Context, m *pb.ProcessMake, files []*os.File, spec *Spec) (*pb.FromVM, error) {
	request := &pb.ToVM{Request: &pb.ToVM_Make{Make: m}}
	made, err := p.ask(ctx, request, nil, files...)
	if err != nil {
		return nil, err
	}
	arm := &pb.ToVM{Request: &pb.ToVM_Arm{Arm: spec.Arm}}
	var armed *call
	if spec.Arm != nil {
		if armed, err = p.ask(ctx, arm, nil, spec.Log); err != nil {
			return nil, err
		}
	}
	a, err := p.await(ctx, made, request, nil)
	if err == nil && armed != nil {
		_, err = p.await(ctx, armed, arm, nil)
	}
	return a, err
}

// become makes a spare process a VM's, or one that keeps the VM's memory. That may have the stay's
// name already: from when the VM should have come and did not.
func (p *Process) become(dir string, hooks Hooks) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir != dir {
		if err := os.Rename(p.dir, dir); err != nil {
			return fmt.Errorf("name a VM's process: %w", err)
		}
	}
	p.dir, p.hooks = dir, hooks
	return nil
}

// name is of a VM's directory. A VM that comes back has another than the one that left.
func (s *Spec) name() string { return fmt.Sprintf("%s-%d", s.ID, s.Generation) }

// directoryOf is where the process of a stay has its files.
func (l *Launcher) directoryOf(s *Spec) string { return filepath.Join(l.cfg.Dir, s.name()) }

// open returns what a VM is made of, as files that its process can map.
func (l *Launcher) open(spec *Spec) (files []*os.File, done func(), err error) {
	l.buildMu.Lock()
	if l.build != spec.Build {
		err = l.openBuild(spec.Build)
	}
	files = append(files, l.files[:]...)
	if len(spec.Files) > 0 && err == nil {
		contents := make([][]byte, len(spec.Files))
		for i := range spec.Files {
			contents[i] = spec.Files[i].Data
		}
		var f *os.File
		if f, err = memoryFile("files", contents...); err == nil {
			files = append(files, f)
		}
	}
	if err != nil {
		l.buildMu.Unlock()
		return nil, nil, err
	}
	return files, func() {
		closeAll(files[2:])
		l.buildMu.Unlock() // not before they are sent: another build's may replace them
	}, nil
}

// openBuild keeps a build's files. l.buildMu is held.
func (l *Launcher) openBuild(b *image.Build) error {
	l.dropBuild()
	exec, err := memoryFile("exec", b.Exec)
	if err != nil {
		return err
	}
	debug, err := memoryFile("debug", b.Debug)
	if err != nil {
		exec.Close()
		return err
	}
	l.build, l.files = b, [2]*os.File{exec, debug}
	return nil
}

func (l *Launcher) dropBuild() {
	for _, f := range l.files {
		if f != nil {
			f.Close()
		}
	}
	l.build, l.files = nil, [2]*os.File{}
}

// take returns a process that is no VM's yet.
func (l *Launcher) take() (*Process, error) {
	l.mu.Lock()
	p := l.spare
	l.spare = nil
	l.mu.Unlock()
	time.AfterFunc(refillAfter, l.refillSoon)
	if p != nil {
		select {
		case <-p.gone: // somebody has killed it
			_ = p.Close()
		default:
			return p, nil
		}
	}
	return l.spawn()
}

// refillAfter is how long after a process was taken the next one is made: the VM that took it
// shall have the processor for its start.
const refillAfter = 100 * time.Millisecond

// refillSoon has a process made for the next VM, unless there is one.
func (l *Launcher) refillSoon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.refilling || l.spare != nil {
		return
	}
	l.refilling = true
	l.refill.Go(func() {
		p, err := l.spawn()
		if err != nil {
			l.cfg.Log.Warn("no process is kept ready for the next VM", "err", err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refilling = false
		if l.closed && p != nil {
			go p.Close()
			return
		}
		l.spare = p
	})
}

// spawn starts a process.
func (l *Launcher) spawn() (*Process, error) {
	dir, err := os.MkdirTemp(l.cfg.Dir, sparePrefix)
	if err != nil {
		return nil, fmt.Errorf("make a VM's directory: %w", err)
	}
	p, err := l.spawnIn(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a VM's process: %w", err), os.RemoveAll(dir))
	}
	return p, nil
}

func (l *Launcher) spawnIn(dir string) (*Process, error) {
	socket, err := bindSocket(dir)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	control, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	stderr, err := os.OpenFile(filepath.Join(dir, stderrName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		control.Close()
		return nil, err
	}
	defer stderr.Close()
	pidfd := -1
	var cmd *exec.Cmd
	for _, flags := range []uintptr{unix.CLONE_NEWNET, 0} {
		cmd = l.command(theirs, socket, stderr)
		// A session of its own: what is typed at the daemon's terminal is not for it. And an
		// empty network of its own, where this daemon may make one.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd, Cloneflags: flags}
		if err = cmd.Start(); err == nil {
			break
		}
	}
	if err != nil {
		control.Close()
		return nil, err
	}
	go cmd.Wait() // it says by its socket how it does
	p := newProcess(dir, newConn(control), pidfd, Hooks{}, l.cfg.Log)
	l.place(p)
	return p, nil
}

// command is a process to start.
func (l *Launcher) command(control, socket, stderr *os.File) *exec.Cmd {
	cmd := exec.Command(l.cfg.Command[0], l.cfg.Command[1:]...)
	cmd.Env = []string{} // nothing of the daemon's is the VM's business
	cmd.Dir = "/"
	cmd.Stderr = stderr
	cmd.ExtraFiles = []*os.File{control, socket}
	if l.cfg.Lease != nil {
		cmd.Args = append(cmd.Args, "--lease")
		cmd.ExtraFiles = append(cmd.ExtraFiles, l.cfg.Lease)
	}
	return cmd
}

// bindSocket makes the socket by which later daemons find a process. The process listens.
func bindSocket(dir string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	err = inDir(dir, func(path string) error {
		return unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(path, socketName)})
	})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	return f, nil
}

// inDir calls f with a short path to a directory: that of a socket has at most 107 bytes
// (unix(7)).
func inDir(dir string, f func(path string) error) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return f(fmt.Sprintf("/proc/self/fd/%d", fd))
}

// takeOverTimeout is how long a process may take to say how it does.
const takeOverTimeout = 10 * time.Second

// TakeOver finds the process of a VM's stay that an earlier daemon started; ErrGone where
// there is none.
func (l *Launcher) TakeOver(ctx context.Context, id string, generation uint32, hooks Hooks) (VM, error) {
	dir := l.directoryOf(&Spec{ID: id, Generation: generation})
	p, s, err := attach(ctx, dir, hooks, l.cfg.Log)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, errors.Join(ErrGone, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("take over a VM's process: %w", err)
	}
	l.place(p)
	p.mu.Lock()
	if memory := p.status.Vm.GetMemory(); memory > 0 { // an earlier daemon's limits ended with it
		l.limit(p, memory)
	}
	p.mu.Unlock()
	p.noteResumed(s.ResumedAt)
	p.end(s.Ended)
	return p, nil
}

// attach connects to the process in a directory. It serves no other connection from then on.
func attach(ctx context.Context, dir string, hooks Hooks, log *slog.Logger) (*Process, *pb.ProcessStatus, error) {
	c, err := dial(dir)
	if err != nil {
		return nil, nil, err
	}
	pidfd, err := pidOf(c)
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	p := newProcess(dir, newConn(c), pidfd, hooks, log)
	ctx, cancel := context.WithTimeout(ctx, takeOverTimeout)
	defer cancel()
	a, err := p.do(ctx, &pb.ToVM{Request: &pb.ToVM_TakeOver{TakeOver: &pb.ProcessTakeOver{}}}, nil, nil)
	if err != nil {
		return nil, nil, errors.Join(err, p.Close())
	}
	s := a.GetStatus()
	if s == nil {
		s = new(pb.ProcessStatus)
	}
	p.mu.Lock()
	p.status = s
	p.mu.Unlock()
	return p, s, nil
}

func dial(dir string) (*net.UnixConn, error) {
	var c net.Conn
	err := inDir(dir, func(path string) (err error) {
		c, err = net.Dial("unix", filepath.Join(path, socketName))
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil // it was dialled as one
}

// pidOf returns a descriptor of the process that listens at the other end of a connection.
func pidOf(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	pidfd := -1
	ctlErr := raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		// Of whoever called listen(2): the process itself (Serve).
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pidfd, err = unix.PidfdOpen(int(cred.Pid), 0)
		}
	})
	return pidfd, errors.Join(ctlErr, err)
}

// A Left names a stay whose process an earlier daemon left.
type Left struct {
	ID         string
	Generation uint32
}

// Left lists the stays for which there is a directory; their processes may be gone. It
// clears away what was no VM's, and has the first process made.
func (l *Launcher) Left() ([]Left, error) {
	entries, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	var all []Left
	for _, e := range entries {
		id, number, ok := strings.Cut(e.Name(), "-")
		var s Left
		if strings.HasPrefix(e.Name(), sparePrefix) { // it ended with its daemon
			if err := os.RemoveAll(filepath.Join(l.cfg.Dir, e.Name())); err != nil {
				return nil, fmt.Errorf("clear directory of VMs: %w", err)
			}
			continue
		}
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(number, &s.Generation); err != nil {
			continue
		}
		s.ID = id
		all = append(all, s)
	}
	if l.cfg.Groups != nil {
		l.cfg.Groups.Sweep()
	}
	l.refillSoon()
	return all, nil
}

// Close ends what is no VM's. VMs go on.
func (l *Launcher) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.refill.Wait()
	l.mu.Lock()
	p := l.spare
	l.spare = nil
	l.mu.Unlock()
	l.buildMu.Lock()
	l.dropBuild()
	l.buildMu.Unlock()
	if p != nil {
		return p.Close()
	}
	return nil
}
