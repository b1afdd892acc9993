// Package vmproc runs each VM in a process of its own, and lets a daemon start, steer, leave
// and take over such processes.
//
// The process owns the guest, its memory and its KVM, and runs the memory part of a move on
// it. It talks to the daemon by a Unix socket (wire.go): the daemon asks, the process answers
// and says what happens. A process whose daemon has gone goes on; the next daemon finds it by
// its directory. docs/process.md has the whole.
package vmproc

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/migrated/migrated/image"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A VM is what a node holds of one VM's process. *Process implements it.
//
// A guest is made, armed with all that it needs, and let go. Send takes it off its processor
// and sends its memory; then either Continue lets it go on here, or Close ends it.
type VM interface {
	// Arm gives the guest its log, which it appends to, and its state where its memory was
	// received. What is armed outlives its daemon. With Start it runs at once, as after Go. With
	// Hold nothing that it prints gets out before Release.
	Arm(arm *pb.ProcessArm, log *os.File) error
	// Go lets it run. On an error it has not run, and never will. left is when it had left, by this
	// host's clock, where its memory was received; zero: as it was armed.
	Go(left time.Time) error
	Release()

	// Send sends the guest's memory up to the moment when the target can start; then the
	// guest is at rest. On an error it goes on here. ctx calls it off.
	Send(ctx context.Context, s Streams, opt *pb.SendOptions, progress func(*pb.MoveProgress)) (*pb.Sent, error)
	// Commit has the process note that its guest, which is at rest, may be another node's from now
	// on. Whoever takes the process over finds that in its status, whatever becomes of this daemon.
	Commit()
	// Allow has the process commit by itself to the move with that token, of which the journal's entry
	// is on disk: Sent says whether it did.
	Allow(token []byte)
	// Continue lets a guest at rest go on here.
	Continue() error
	// Drain serves what the target lacks, from Commit on; at the end it lacks nothing. It can be asked
	// for while Send goes on, and then opens the streams.
	Drain(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) error
	// Receive fills the memory of a guest that was made to resume, until it can be started.
	Receive(ctx context.Context, s Streams, opt *pb.ReceiveOptions, progress func(*pb.MoveProgress)) (*pb.Received, error)
	// Fill fetches what it lacked at its start, and returns how many pages somebody waited for. It can
	// be asked for together with Receive, and then waits for the streams.
	Fill(ctx context.Context, s Streams, progress func(*pb.MoveProgress)) (faults uint64, err error)

	// Input gives the guest a piece of its standard input; what it has already is left out.
	// It returns how much it has now. vmm.ErrLeft: it may take the rest later, here or
	// elsewhere.
	Input(ctx context.Context, offset int64, p []byte, eof bool) (accepted int64, err error)
	// Stop asks the guest to end, and ends it after the grace period.
	Stop(grace time.Duration)
	// AwaitResumed returns when the guest ran again after Go; false where it did not.
	AwaitResumed(ctx context.Context) (time.Time, bool)
	// Status is how the process did when it was made or taken over.
	Status() *pb.ProcessStatus

	// Done is closed when the guest has ended, or its process has.
	Done() <-chan struct{}
	// Ended says how, once Done is closed; nil where the process died with it.
	Ended() *pb.ProcessEnded

	// Keep ends a guest that has left for good, or never came, as Close does, but for its memory,
	// in case the VM returns. On an error it is as Close.
	Keep(ctx context.Context) (Kept, error)

	// Usage is what its process takes of the machine.
	Usage() (Usage, error)

	// Leave lets the process be: it goes on without a daemon.
	Leave()
	// Close ends the process, whatever it does, and forgets it.
	Close() error
}

// A Spec says what guest to make.
type Spec struct {
	ID         string // of the VM
	Generation uint32 // of its stay
	Image      []byte // the image's config blob
	Build      *image.Build
	Memory     uint64 // bytes
	Resume     bool   // its memory will be received
	Kept       Kept   // what is here of it from an earlier stay, for a Resume; may be nil
	Args       []string
	Env        []string
	Files      []vmm.File

	// Arm, where not nil, has the guest armed as by VM.Arm, without waiting for it to be made.
	Arm *pb.ProcessArm
	Log *os.File // for Arm
}

// Hooks are told what happens by itself. They must not wait for the process.
type Hooks struct {
	Output  func(logEnd int64)  // the log has grown to there
	Said    func(text string)   // the guest's kernel has something to say
	Trouble func(reason string) // such as a full disk; empty when it is over
}

// Streams join the processes at both ends of a move.
type Streams interface {
	// Open returns one end of the stream with a number, when the other side has opened it
	// too. A stream that broke can be opened again.
	Open(ctx context.Context, number uint8) (net.Conn, error)
}

// Errors that callers decide on, beside vmm's.
var (
	ErrStalled = errors.New("the other side makes no progress")
	ErrQuiesce = errors.New("the program did not reach a migration point in time")
	ErrClosed  = errors.New("the other side closed the stream")
	ErrGone    = errors.New("the VM's process is gone")
)

// FirstStream is the number of the stream that every kind of move has.
const FirstStream = 0
