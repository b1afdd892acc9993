package vmm

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// A Guest is one guest and the machine that it runs on. It implements VM.
//
// One goroutine runs the machine and answers the doorbell (loop.go), another takes the
// guest's output (output.go). While the guest is parked, with every thread off its machine
// stack, the first waits and whoever holds mu may write the control page.
type Guest struct {
	cfg     Config
	machine Machine
	ctl     *hostabi.Ctl
	out     *output
	in      *input
	clock   clock
	alarm   alarm

	poke   chan struct{} // ends a WAIT: pending may have changed
	goOn   chan struct{} // ends the parking at LEFT
	killed chan struct{} // closed when the guest must end whatever it does
	done   chan struct{} // closed when it has ended

	throttle throttle

	resumed atomic.Int64 // time.Since(epoch) when the guest last rang RESUMED; 0: never

	mu       sync.Mutex
	state    state
	left     *Left      // in state parked
	waiter   chan *Left // who asked for the guest to leave, nil where nobody
	asked    time.Time  // when
	leaveAt  uint64     // migration point at which it leaves by itself; 0: none
	counting bool       // LeaveAt was called
	killExit Exit       // what to report once killed is closed
	exit     Exit       // in state ended
	started  bool       // there are goroutines
	closed   bool       // the machine is gone
	logging  bool       // the machine logs what the guest writes
}

var _ VM = (*Guest)(nil)

// A state of a Guest. It only ever goes created, running, parked, running ..., ended.
type state int

const (
	created state = iota // not started
	running
	parked // every thread has left; the guest waits at the doorbell LEFT
	ended
)

func (s state) String() string {
	return [...]string{"not started", "running", "quiesced", "ended"}[s]
}

// epoch is what durations in atomics are counted from, on the monotonic clock.
var epoch = time.Now()

// New makes a guest that waits for Start.
func New(cfg Config) (*Guest, error) {
	if err := checkConfig(&cfg); err != nil {
		return nil, err
	}
	m, err := cfg.Machine(cfg.Spec)
	if err != nil {
		return nil, fmt.Errorf("make a machine: %w", err)
	}
	g := &Guest{
		cfg:     cfg,
		machine: m,
		poke:    make(chan struct{}, 1),
		goOn:    make(chan struct{}, 1),
		killed:  make(chan struct{}),
		done:    make(chan struct{}),
	}
	if err := g.fill(); err != nil {
		m.Close()
		return nil, err
	}
	return g, nil
}

func checkConfig(cfg *Config) error {
	switch {
	case cfg.Image == nil || cfg.Build == nil || cfg.Machine == nil:
		return errors.New("a guest needs an image, a build of it and a machine")
	case cfg.Image.ABI != hostabi.Version:
		return fmt.Errorf("image was built for version %d of the contract between guest and host, this host has version %d: rebuild one of them",
			cfg.Image.ABI, hostabi.Version)
	case cfg.Image.PortableBase != hostabi.PortableBase:
		return fmt.Errorf("image has its portable memory at %#x, not at %#x", cfg.Image.PortableBase, uint64(hostabi.PortableBase))
	case cfg.Memory == 0 || cfg.Memory%hostabi.PageSize != 0 || cfg.Memory > maxMemory:
		return fmt.Errorf("%d bytes of memory: want a multiple of %d up to %d", cfg.Memory, hostabi.PageSize, uint64(maxMemory))
	case cfg.Image.StaticEnd < hostabi.PortableBase || cfg.Image.StaticEnd-hostabi.PortableBase > cfg.Memory:
		return fmt.Errorf("%d bytes of memory do not hold the program's static data, which ends at %#x: give it more memory",
			cfg.Memory, cfg.Image.StaticEnd)
	}
	if cfg.Output == nil {
		cfg.Output = func(Stream, []byte) {}
	}
	if cfg.Log == nil {
		cfg.Log = func(string) {}
	}
	if cfg.Resumed == nil {
		cfg.Resumed = func() {}
	}
	return nil
}

// maxMemory is what fits between the portable base and a tender's stub below the machine
// stacks, bytes.
const maxMemory = 0x6000000000

// fill writes what the guest finds in its memory when it starts.
func (g *Guest) fill() error {
	page, err := g.machine.At(hostabi.CtlBase, hostabi.PageSize)
	if err != nil {
		return fmt.Errorf("find the control page: %w", err)
	}
	if g.ctl, err = hostabi.CtlAt(page); err != nil {
		return err
	}
	outRing, err := ringAt(g.machine, hostabi.OutRingBase)
	if err != nil {
		return err
	}
	inRing, err := ringAt(g.machine, hostabi.InRingBase)
	if err != nil {
		return err
	}
	g.out = newOutput(outRing, g.cfg.Output, g.fail)
	g.in = newInput(inRing, g)
	g.alarm.guest = g
	g.ctl.ABIVersion = hostabi.Version
	g.ctl.MemSize = g.cfg.Memory
	g.ctl.StaticEnd = g.cfg.Image.StaticEnd
	if g.cfg.Record != nil {
		g.ctl.ShowRecords = 1
	}
	if g.cfg.Resume {
		g.ctl.Boot = hostabi.BootResume
		return nil
	}
	g.ctl.Boot = hostabi.BootStart
	return g.placeBlob()
}

func ringAt(m Machine, addr GuestVirt) (*hostabi.Ring, error) {
	b, err := m.At(addr, ringBytes)
	if err != nil {
		return nil, fmt.Errorf("find the ring at %#x: %w", addr, err)
	}
	return hostabi.RingAt(b)
}

// Memory returns the portable region; it is stable while the guest is quiesced.
func (g *Guest) Memory() []byte { return g.machine.Portable() }

// Backing returns the file that Memory maps from its start, or nil where it is anonymous.
func (g *Guest) Backing() *os.File { return g.machine.Backing() }

// Done is closed when the guest has ended.
func (g *Guest) Done() <-chan struct{} { return g.done }

// Exit says how it ended, once Done is closed.
func (g *Guest) Exit() Exit {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.exit
}

// Resumed returns when the guest last rang RESUMED; the zero time if it never did.
func (g *Guest) Resumed() time.Time {
	d := g.resumed.Load()
	if d == 0 {
		return time.Time{}
	}
	return epoch.Add(time.Duration(d))
}

// PlaceStatic writes the image's initial data into portable memory, as it would be for a fresh
// start: another guest of the same image may still have most of it.
func (g *Guest) PlaceStatic() error {
	p, err := Load(g.cfg.Build, g.cfg.Memory)
	if err != nil {
		return err
	}
	p.PlacePortable(g.Memory())
	return nil
}

// Kept says whether portable memory was another guest's before.
func (g *Guest) Kept() bool { return g.cfg.Kept != nil }

// Keep is Close, but for portable memory, which it returns; nil where the machine cannot do that,
// or was closed.
func (g *Guest) Keep() (*Kept, error) {
	g.kill(Exit{Code: exitKilled, Signal: signalKill})
	<-g.done
	g.mu.Lock()
	var kept *Kept
	if k, ok := g.machine.(Keeper); ok && !g.closed {
		kept = k.Keep()
	}
	g.mu.Unlock()
	return kept, g.Close()
}

// Close ends the guest if it still runs, and frees everything. No slice of its memory may
// be used afterwards. It waits for a call of Output that is under way.
func (g *Guest) Close() error {
	g.kill(Exit{Code: exitKilled, Signal: signalKill})
	<-g.done
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	if g.started {
		<-g.out.gone
	}
	g.closed = true
	return g.machine.Close()
}
