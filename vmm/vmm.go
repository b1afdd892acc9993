// Package vmm runs one guest: it lays out its memory, answers its doorbell, feeds its
// rings, and takes it off its processor for a move. What executes the guest is a Machine:
// KVM (vmm/kvm) or a process (vmm/tender).
package vmm

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/migrated/migrated/image"
)

// A Machine is the memory and the processor of one guest.
//
// Portable and At may be used at any time; what the guest writes meanwhile is seen with no
// ordering but that of atomic operations. Run is called by one goroutine at a time.
type Machine interface {
	// Portable returns the host's mapping of the portable region; page n of the region is
	// page n of the slice.
	Portable() []byte
	// Backing returns the file that Portable maps from its start, or nil where Portable is
	// anonymous memory, private to this process. Pages that the one or the other never had
	// are zero, and need not be touched to know it.
	Backing() *os.File
	// At returns n bytes of private memory at a guest virtual address: the control page,
	// the gate and the rings, and for crash reports the machine stacks.
	At(addr GuestVirt, n int) ([]byte, error)
	// Run executes the guest until it rings the doorbell, faults, or Kick is called.
	Run() (Stop, error)
	// Kick makes a Run that is under way, or else the next one, return soon.
	Kick()
	// Close frees everything. No Run may be under way.
	Close() error
}

// A Registrar is a Machine that can say what is in the registers.
type Registrar interface {
	// Registers returns the registers at the last stop by DWARF number of the build's ISA,
	// and the PC. At a doorbell they are those of the gate or of its caller, of which only
	// what a call preserves need be right.
	Registers() (regs []uint64, pc uint64, err error)
}

// A Timekeeper is a Machine whose guest can read a counter by itself. The guest of another
// asks the host for the time.
type Timekeeper interface {
	// Counter returns the guest's counter at this moment and the nanoseconds of one tick,
	// a 32.32 fixed point number (mig_ctl.clock_mult).
	Counter() (now, mult uint64, err error)
}

// A DirtyLogger is a Machine that can say which pages of portable memory its guest writes.
type DirtyLogger interface {
	// LogDirty begins or ends logging.
	LogDirty(on bool) error
	// Dirty adds to set the pages written since LogDirty or the last Dirty: page n is bit
	// n%64 of word n/64. Pages that were only touched may be among them. One caller at a
	// time.
	Dirty(set []uint64) error
}

// A GuestVirt is a guest virtual address.
type GuestVirt uint64

// A Spec says what a Machine is to be made for.
type Spec struct {
	Image  *image.Config
	Build  *image.Build
	Memory uint64 // bytes of portable memory, a multiple of the page size
	Resume bool   // portable memory will be filled by the caller: leave the image's data out
	Kept   *Kept  // for a Resume: use it as portable memory, as it is; it is the machine's then
}

// Kept is portable memory that has outlived its machine.
type Kept struct {
	Portable []byte
	Mapping  []byte // what it is a part of, for who frees it
}

// A Keeper is a Machine whose portable memory can outlive it.
type Keeper interface {
	// Keep takes portable memory out of a machine that does not run: Close leaves it alone.
	Keep() *Kept
}

// A StopKind says why Run returned.
type StopKind int

const (
	StopDoorbell StopKind = iota // the guest waits for an answer to mig_ctl.op
	StopKicked                   // Kick was called
	StopFault                    // the guest did what it may not; it cannot go on
)

// A Stop is one return of Run.
type Stop struct {
	Kind  StopKind
	Fault *Fault // for StopFault
}

// A Fault is what the processor said of a guest that cannot go on.
type Fault struct {
	Reason  string // "page fault", "undefined instruction"
	Addr    uint64 // the address it tripped over, where there is one
	HasAddr bool   // there is one
	PC      uint64
	Regs    []uint64 // by DWARF number of the build's ISA
	Signal  int      // what a process would have got for it; 0 is taken for SIGSEGV
}

// Config says what to run. The zero value of a field is a usable default where one exists.
type Config struct {
	Spec
	Args    []string                      // argv; Args[0] is the program's name
	Env     []string                      // "K=V"
	Files   []File                        // put into the guest's RAM file system before it starts
	Output  func(stream Stream, p []byte) // called in order, by one goroutine; p is not kept
	Log     func(msg string)              // what the guest's kernel has to say to the operator
	Resumed func()                        // called when the guest stands on a stack again, after Start or Continue
	Machine func(Spec) (Machine, error)   // the backend

	// Record, for tests, is shown each frame record that a thread leaves behind. An error ends
	// the guest; data is not kept.
	Record func(site uint32, data []byte) error
}

// A File is one file for the guest's RAM file system.
type File struct {
	Path    string // absolute, in the guest
	Mode    uint32 // permission bits
	ModTime time.Time
	Data    []byte
}

// A Stream is one of the guest's output streams.
type Stream uint8

const (
	Stdout Stream = 1
	Stderr Stream = 2
)

// Left is the state of a guest all of whose threads have left their machine stacks, beside
// its portable memory.
type Left struct {
	Mono    uint64        // guest's monotonic clock when it left, ns
	Wall    time.Time     // host's clock at that moment
	Threads uint64        // threads that left
	Frames  uint64        // frames written as records
	Bytes   uint64        // bytes of records
	Quiesce time.Duration // from request to the last thread having left

	// Standard input that was accepted and that the guest has not taken: Start puts it into
	// the ring of the guest that goes on.
	Input    []byte
	InputEOF bool // nothing follows
}

// Exit says how a guest ended.
type Exit struct {
	Code   int    // exit status, 128 + signal for a signal or a fault
	Signal int    // terminating signal, 0 for none
	Crash  *Crash // for a fault, an abort, a panic
}

// A Crash is an account of a guest's end for people.
type Crash struct {
	Fault
	ISA       string // isa.ISA.Name of the build, whose registers these are
	Message   string
	Backtrace []Frame // innermost first
}

// A Frame is one line of a backtrace; what is not known is zero.
type Frame struct {
	PC       uint64
	Function string
	File     string
	Line     int
}

// Errors that callers decide on.
var (
	ErrNoKVM  = errors.New("no usable /dev/kvm")
	ErrExited = errors.New("guest has ended")
	ErrLeft   = errors.New("guest has left its processor for a move")
)

// VM is what the node and the tests hold of a running guest. *Guest implements it.
type VM interface {
	// Start begins a fresh program, or resumes one whose portable memory was filled.
	// For a resume, from is where it left; its clock goes on by the wall time since then.
	Start(from *Left) error
	// Quiesce makes every thread leave. On error the guest still runs.
	Quiesce(ctx context.Context) (*Left, error)
	// Continue calls a move off: the guest resumes here from the same records.
	Continue() error
	// Memory returns the portable region; stable while quiesced.
	Memory() []byte
	// Backing returns the file that Memory maps from its start, or nil where it is anonymous.
	Backing() *os.File
	// Input feeds the guest's standard input; it blocks while the ring is full. From the
	// moment that Quiesce is called until the guest goes on, if it ever does, Write returns at once, with
	// how much it had written and ErrLeft: what it counted is in the guest or in
	// Left.Input, so a node knows from where to go on. Close ends the input; it fails with
	// ErrLeft in the same way.
	Input() io.WriteCloser
	// Stop asks the guest to end, and ends it after the grace period.
	Stop(grace time.Duration)
	// Done is closed when the guest has ended or Close was called; then Exit says how.
	Done() <-chan struct{}
	Exit() Exit
	// Resumed reports when the guest last rang RESUMED, on the host's monotonic clock.
	Resumed() time.Time
	// Close ends the guest if it still runs and frees everything.
	Close() error
}
