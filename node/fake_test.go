package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/vmproc"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A fakeVM is a guest without a processor: a goroutine whose whole state is in its memory,
// so that it goes on wherever that memory is taken. Its programs:
//
//	count N     prints N lines, each made from the one before, and exits with 42
//	cat         copies input to output up to its end
//	idle        does nothing until it is stopped
//	crash       faults
type fakeVM struct {
	spec   *vmproc.Spec
	faults *faults
	memory []byte

	mu      sync.Mutex
	hooks   vmproc.Hooks
	arms    *pb.ProcessArm
	log     *os.File
	size    int64 // of the log
	started bool
	left    bool          // every thread is off its stack
	asked   chan struct{} // closed to ask the goroutine to leave
	gone    chan struct{} // closed when it has
	done    chan struct{}
	end     *pb.ProcessEnded
	sent    *pb.Sent
	drain   vmproc.Rest
	fill    vmproc.Fill
	missing uint64        // pages
	filled  chan struct{} // closed when they have come; nil: none was missing
	input   []byte
	got     int64 // bytes of input so far
	eof     bool
	wake    chan struct{} // input or stop
	stopped bool
	resumed time.Time
	closed  bool
	told    bool          // it may be another node's
	free    chan struct{} // closed when what it prints may get out; nil: it may
}

var errNoCPU = errors.New("no vCPU")

// faults are what a test wants to go wrong on one node.
type faults struct {
	mu        sync.Mutex
	newErr    error                               // Make fails
	startErr  error                               // Start of a resumed guest fails
	neverLeft bool                                // Quiesce never ends
	survive   bool                                // VMs go on without their daemon
	making    func()                              // called when a VM is made, which waits
	keeping   func()                              // the same when its memory is to be kept
	hold      bool                                // programs that count do not end
	filling   func(vmproc.Streams) vmproc.Streams // what Fill is to take
	left      map[vmproc.Left]*fakeVM
}

func (f *faults) set(change func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// hold keeps programs that count from ending on the nodes until release: one that is to move must
// not have ended before, however long that takes on a busy machine.
func hold(nodes ...*testNode) (release func()) {
	set := func(held bool) {
		for _, n := range nodes {
			n.faults.set(func(f *faults) { f.hold = held })
		}
	}
	set(true)
	return func() { set(false) }
}

func (f *faults) get() (newErr, startErr error, neverLeft bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newErr, f.startErr, f.neverLeft
}

// fakeState lies at the beginning of a fake's memory, behind its length.
type fakeState struct {
	Args []string
	Step int
	Sum  uint64
	Read int // bytes of input
}

// Make, TakeOver, Left and Close are a launcher's.
func (f *faults) Make(_ context.Context, spec *vmproc.Spec, hooks vmproc.Hooks) (vmproc.VM, error) {
	if err, _, _ := f.get(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	making := f.making
	f.mu.Unlock()
	if making != nil {
		making()
	}
	vm := &fakeVM{
		spec: spec, hooks: hooks, faults: f, done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	if k, ok := spec.Kept.(*fakeKept); ok && !k.closed() {
		vm.memory = k.memory
		k.Close()
	} else {
		vm.memory = make([]byte, spec.Memory)
	}
	if !spec.Resume {
		vm.save(&fakeState{Args: spec.Args})
		// Something worth sending, with zero pages between.
		for page := uint64(2); page < spec.Memory/4096; page += 2 {
			for i := uint64(0); i < 4096; i += 8 {
				binary.LittleEndian.PutUint64(vm.memory[page*4096+i:], page*0x9e3779b97f4a7c15+i)
			}
		}
	}
	if spec.Arm != nil {
		if err := vm.Arm(spec.Arm, spec.Log); err != nil {
			return nil, err
		}
	}
	return vm, nil
}

func (f *faults) TakeOver(_ context.Context, id string, generation uint32, hooks vmproc.Hooks) (vmproc.VM, error) {
	f.mu.Lock()
	vm := f.left[vmproc.Left{ID: id, Generation: generation}]
	delete(f.left, vmproc.Left{ID: id, Generation: generation})
	f.mu.Unlock()
	if vm == nil {
		return nil, vmproc.ErrGone
	}
	vm.mu.Lock()
	vm.hooks = hooks
	vm.mu.Unlock()
	return vm, nil
}

func (f *faults) Left() (all []vmproc.Left, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.left {
		all = append(all, l)
	}
	return all, nil
}

func (f *faults) Close() error { return nil }

func (vm *fakeVM) save(s *fakeState) {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	binary.LittleEndian.PutUint64(vm.memory, uint64(len(b)))
	copy(vm.memory[8:], b)
}

func (vm *fakeVM) load() *fakeState {
	n := binary.LittleEndian.Uint64(vm.memory)
	s := new(fakeState)
	if err := json.Unmarshal(vm.memory[8:8+n], s); err != nil {
		panic(err)
	}
	return s
}

func (vm *fakeVM) Arm(arm *pb.ProcessArm, log *os.File) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	fd, err := unix.FcntlInt(log.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if arm.Hold {
		vm.free = make(chan struct{})
	}
	vm.arms, vm.log, vm.got = arm, os.NewFile(uintptr(fd), "log"), arm.InputAccepted
	info, err := vm.log.Stat()
	if err == nil {
		vm.size = info.Size()
	}
	if err == nil && arm.Start {
		err = vm.start()
	}
	return err
}

// print appends to the log. It is called by the program's goroutine alone.
func (vm *fakeVM) print(stream vmm.Stream, p []byte) {
	vm.mu.Lock()
	free := vm.free
	vm.mu.Unlock()
	if free != nil {
		select {
		case <-free:
		case <-vm.done:
			return
		}
	}
	frames := console.AppendFrames(nil, stream, p)
	if _, err := vm.log.WriteAt(frames, vm.size); err != nil {
		panic(err)
	}
	vm.mu.Lock()
	vm.size += int64(len(frames))
	end, output := vm.arms.LogBase+vm.size, vm.hooks.Output
	vm.mu.Unlock()
	if output != nil {
		output(end)
	}
}

func (vm *fakeVM) Go(time.Time) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.start()
}

func (vm *fakeVM) Release() {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if vm.free != nil {
		close(vm.free)
		vm.free = nil
	}
}

func (vm *fakeVM) Allow([]byte) {}

func (vm *fakeVM) Commit() {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.told = true
}

// start is Go. vm.mu is held.
func (vm *fakeVM) start() error {
	from := vm.arms.Left
	if _, err, _ := vm.faults.get(); err != nil && from != nil {
		return err
	}
	if from != nil {
		vm.input, vm.eof = append([]byte(nil), from.Input...), from.InputEof
		vm.resumed = time.Now()
	}
	vm.started = true
	vm.goOn()
	return nil
}

// goOn lets the program run. vm.mu is held.
func (vm *fakeVM) goOn() {
	vm.left, vm.sent, vm.told = false, nil, false
	vm.asked, vm.gone = make(chan struct{}), make(chan struct{})
	go vm.loop(vm.asked, vm.gone)
}

func (vm *fakeVM) loop(asked, gone chan struct{}) {
	defer close(gone)
	if vm.filled != nil {
		select {
		case <-vm.filled:
		case <-vm.done:
			return
		}
	}
	state := vm.load()
	for {
		select {
		case <-asked:
			vm.save(state)
			return
		default:
		}
		if exit := vm.step(state, asked); exit != nil {
			vm.finish(exit)
			return
		}
	}
}

// step runs the program up to its next migration point.
func (vm *fakeVM) step(s *fakeState, asked chan struct{}) *pb.Exit {
	vm.mu.Lock()
	stopped := vm.stopped
	vm.mu.Unlock()
	if stopped {
		return &pb.Exit{Code: 143, Signal: 15}
	}
	switch s.Args[1] {
	case "count":
		n, err := strconv.Atoi(s.Args[2])
		if err != nil {
			panic(err)
		}
		if s.Step == n {
			vm.faults.mu.Lock()
			hold := vm.faults.hold
			vm.faults.mu.Unlock()
			if !hold {
				return &pb.Exit{Code: 42}
			}
			select {
			case <-asked:
			case <-time.After(time.Millisecond):
			}
			return nil
		}
		s.Step++
		s.Sum = s.Sum*6364136223846793005 + uint64(s.Step)
		stream := vmm.Stdout
		if s.Step%10 == 0 {
			stream = vmm.Stderr
		}
		vm.print(stream, countLine(s.Step, s.Sum))
		time.Sleep(200 * time.Microsecond)
		return nil
	case "crash":
		return &pb.Exit{Code: 139, Signal: 11, Crash: &pb.Crash{
			Reason: "page fault", Address: 0x10, Pc: 0x4001000, Registers: []*pb.Register{{Name: "rip", Value: 0x4001000}},
			Backtrace: []*pb.Frame{{Pc: 0x4001000, Function: "main", File: "main.c", Line: 7}},
		}}
	case "cat":
		vm.mu.Lock()
		p, eof := vm.input, vm.eof
		vm.input = nil
		vm.mu.Unlock()
		if len(p) > 0 {
			s.Read += len(p)
			vm.print(vmm.Stdout, p)
			return nil
		}
		if eof {
			return &pb.Exit{Code: int32(s.Read % 100)}
		}
	}
	select {
	case <-asked:
	case <-vm.wake:
	}
	return nil
}

func countLine(step int, sum uint64) []byte { return fmt.Appendf(nil, "%d %x\n", step, sum) }

// countOutput is what count N prints: both streams in their order.
func countOutput(n int) string {
	var b bytes.Buffer
	sum := uint64(0)
	for step := 1; step <= n; step++ {
		sum = sum*6364136223846793005 + uint64(step)
		b.Write(countLine(step, sum))
	}
	return b.String()
}

func (vm *fakeVM) finish(exit *pb.Exit) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	select {
	case <-vm.done:
	default:
		vm.end = &pb.ProcessEnded{Exit: exit, Time: timestamppb.Now(), LogEnd: vm.arms.GetLogBase() + vm.size}
		close(vm.done)
	}
}

func (vm *fakeVM) Send(ctx context.Context, s vmproc.Streams, opt *pb.SendOptions, progress func(*pb.MoveProgress)) (*pb.Sent, error) {
	sent, drain, err := vmproc.Send(ctx, vm, s, opt, progress)
	if err != nil {
		return nil, err
	}
	vm.mu.Lock()
	defer vm.mu.Unlock()
	sent.LogEnd, sent.InputAccepted = vm.arms.LogBase+vm.size, vm.got
	vm.sent, vm.drain = sent, drain
	return sent, nil
}

func (vm *fakeVM) Receive(ctx context.Context, s vmproc.Streams, opt *pb.ReceiveOptions, progress func(*pb.MoveProgress)) (*pb.Received, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-vm.done:
			cancel(vmm.ErrExited)
		case <-ctx.Done():
		}
	}()
	received, fill, err := vmproc.Receive(ctx, vm, &fakeArea{vm: vm, closed: make(chan struct{})}, s, opt, func(*pb.MoveProgress) {})
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.fill = fill
	if vm.missing = received.GetMissing(); vm.missing > 0 {
		vm.filled = make(chan struct{})
	}
	return received, err
}

func (vm *fakeVM) Drain(ctx context.Context, s vmproc.Streams, progress func(*pb.MoveProgress)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-vm.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	var drain vmproc.Rest
	err := vm.await(ctx, func() bool { // it is asked for early, and serves from the commitment on
		drain = vm.drain
		return vm.told
	})
	if err == nil {
		err = drain(ctx, s, progress)
	}
	select {
	case <-vm.done:
		return vmproc.ErrGone
	default:
		return err
	}
}

// await waits until something holds, which is looked at with the lock held.
func (vm *fakeVM) await(ctx context.Context, holds func() bool) error {
	for {
		vm.mu.Lock()
		ok := holds()
		vm.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// die ends the process of a guest at rest as SIGKILL would.
func (vm *fakeVM) die() {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	close(vm.done)
}

func (vm *fakeVM) Fill(ctx context.Context, s vmproc.Streams, progress func(*pb.MoveProgress)) (uint64, error) {
	vm.faults.mu.Lock()
	filling := vm.faults.filling
	vm.faults.mu.Unlock()
	if filling != nil {
		s = filling(s)
	}
	var fill vmproc.Fill
	err := vm.await(ctx, func() bool { // so is this
		fill = vm.fill
		return fill != nil
	})
	if err != nil {
		return 0, err
	}
	waits, err := fill(ctx, s, progress)
	if err == nil {
		vm.mu.Lock()
		if vm.missing > 0 {
			close(vm.filled)
		}
		vm.missing = 0
		vm.mu.Unlock()
	}
	return waits, err
}

// Kept and PlaceStatic are a guest's: this one has no image's data.
func (vm *fakeVM) Kept() bool         { return vm.spec.Kept != nil }
func (vm *fakeVM) PlaceStatic() error { return nil }

func (vm *fakeVM) Keep(context.Context) (vmproc.Kept, error) {
	vm.faults.mu.Lock()
	keeping := vm.faults.keeping
	vm.faults.mu.Unlock()
	if keeping != nil {
		keeping()
	}
	memory := vm.memory
	if err := vm.Close(); err != nil {
		return nil, err
	}
	return &fakeKept{memory: memory, gone: make(chan struct{}), freed: make(chan struct{})}, nil
}

// A fakeKept is the memory of a fake that has left.
type fakeKept struct {
	memory []byte
	once   sync.Once
	gone   chan struct{}
	free   sync.Once
	freed  chan struct{} // closed when nothing of its process is left
}

func (k *fakeKept) Bytes() uint64         { return uint64(len(k.memory)) }
func (k *fakeKept) Done() <-chan struct{} { return k.gone }

// die ends its process as SIGKILL would.
func (k *fakeKept) die() { k.once.Do(func() { close(k.gone) }) }

func (k *fakeKept) Close() error {
	k.die()
	k.free.Do(func() { close(k.freed) })
	return nil
}

func (k *fakeKept) closed() bool {
	select {
	case <-k.gone:
		return true
	default:
		return false
	}
}

// A fakeArea is a fake's memory while it is filled. The program needs a page that is missing at
// once, and so waits until all are there.
type fakeArea struct {
	vm     *fakeVM
	closed chan struct{}
}

func (a *fakeArea) Fault() (uint64, error) {
	<-a.closed
	return 0, errors.New("closed")
}

func (a *fakeArea) Copy(page uint64, data []byte) (bool, error) {
	copy(a.vm.memory[page*4096:], data)
	return true, nil
}

func (a *fakeArea) Zero(page, count uint64) (bool, error) {
	clear(a.vm.memory[page*4096:][:count*4096])
	return true, nil
}

func (a *fakeArea) Wake(uint64) error { return nil }

func (a *fakeArea) Close() error { close(a.closed); return nil }

func (vm *fakeVM) Quiesce(ctx context.Context) (*vmm.Left, error) {
	begin := time.Now()
	if _, _, never := vm.faults.get(); never {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	vm.mu.Lock()
	vm.left = true
	asked, gone := vm.asked, vm.gone
	vm.mu.Unlock()
	close(asked)
	<-gone
	select {
	case <-vm.done:
		return nil, vmm.ErrExited
	default:
	}
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return &vmm.Left{
		Mono: 1, Wall: time.Now(), Threads: 1, Frames: 3, Bytes: 96, Quiesce: time.Since(begin),
		Input: vm.input, InputEOF: vm.eof,
	}, nil
}

func (vm *fakeVM) Continue() error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	select {
	case <-vm.done:
		return vmm.ErrExited
	default:
	}
	vm.goOn()
	return nil
}

func (vm *fakeVM) Memory() []byte { return vm.memory }

func (vm *fakeVM) Input(_ context.Context, offset int64, p []byte, eof bool) (int64, error) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if offset > vm.got {
		return vm.got, fmt.Errorf("input goes on at %d, not %d", vm.got, offset)
	}
	have := vm.got - offset
	if have >= int64(len(p)) && !eof {
		return vm.got, nil
	}
	if vm.left {
		return vm.got, vmm.ErrLeft
	}
	if have < int64(len(p)) {
		vm.input = append(vm.input, p[have:]...)
		vm.got = offset + int64(len(p))
	}
	vm.eof = vm.eof || eof
	vm.poke()
	return vm.got, nil
}

func (vm *fakeVM) Status() *pb.ProcessStatus {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	s := &pb.ProcessStatus{
		State: pb.ProcessState_PROCESS_STATE_RUNNING, Vm: vm.arms.GetVm(), InputAccepted: vm.got, InputEof: vm.eof, Sent: vm.sent, Ended: vm.end,
	}
	s.PostCopy, s.Missing = true, vm.missing
	s.Remembers, s.Committed, s.Held = true, vm.told, vm.free != nil
	s.LogBase = vm.arms.GetLogBase()
	s.LogEnd = s.LogBase + vm.size
	switch {
	case vm.end != nil:
		s.State = pb.ProcessState_PROCESS_STATE_ENDED
	case vm.arms == nil:
		s.State = pb.ProcessState_PROCESS_STATE_MADE
	case !vm.started:
		s.State = pb.ProcessState_PROCESS_STATE_ARMED
	case vm.sent != nil:
		s.State = pb.ProcessState_PROCESS_STATE_AT_REST
	}
	return s
}

// Leave lets it go on, where the test wants that, or end as if killed.
func (vm *fakeVM) Usage() (vmproc.Usage, error) {
	return vmproc.Usage{CPU: time.Second, Resident: 1 << 20}, nil
}

func (vm *fakeVM) Leave() {
	vm.mu.Lock()
	vm.hooks = vmproc.Hooks{}
	vm.mu.Unlock()
	vm.faults.mu.Lock()
	survive := vm.faults.survive
	if survive {
		if vm.faults.left == nil {
			vm.faults.left = make(map[vmproc.Left]*fakeVM)
		}
		vm.faults.left[vmproc.Left{ID: vm.spec.ID, Generation: vm.spec.Generation}] = vm
	}
	vm.faults.mu.Unlock()
	if !survive {
		vm.Close()
	}
}

func (vm *fakeVM) poke() {
	select {
	case vm.wake <- struct{}{}:
	default:
	}
}

func (vm *fakeVM) Stop(grace time.Duration) {
	vm.mu.Lock()
	vm.stopped = true
	vm.poke()
	left := vm.left || !vm.started || vm.missing > 0 || vm.free != nil
	vm.mu.Unlock()
	if left { // nothing runs that could see it
		vm.finish(&pb.Exit{Code: 137, Signal: 9})
	}
}

func (vm *fakeVM) Done() <-chan struct{} { return vm.done }

func (vm *fakeVM) Ended() *pb.ProcessEnded {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.end
}

func (vm *fakeVM) AwaitResumed(context.Context) (time.Time, bool) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.resumed, !vm.resumed.IsZero()
}

func (vm *fakeVM) Close() error {
	vm.Stop(0)
	<-vm.done
	vm.mu.Lock()
	gone := vm.gone
	vm.mu.Unlock()
	if gone != nil {
		<-gone
	}
	return nil
}
