package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

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
	cfg    vmm.Config
	faults *faults
	memory []byte

	mu      sync.Mutex
	started bool
	left    bool          // every thread is off its stack
	asked   chan struct{} // closed to ask the goroutine to leave
	gone    chan struct{} // closed when it has
	done    chan struct{}
	exit    vmm.Exit
	input   []byte
	eof     bool
	wake    chan struct{} // input or stop
	stopped bool
	resumed time.Time
	closed  bool
}

var errNoCPU = errors.New("no vCPU")

// faults are what a test wants to go wrong on one node.
type faults struct {
	mu        sync.Mutex
	newErr    error // New fails
	startErr  error // Start of a resumed guest fails
	neverLeft bool  // Quiesce never ends
}

func (f *faults) set(change func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
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

func (f *faults) newVM(cfg vmm.Config) (vmm.VM, error) {
	if err, _, _ := f.get(); err != nil {
		return nil, err
	}
	vm := &fakeVM{
		cfg: cfg, faults: f, memory: make([]byte, cfg.Memory), done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	if !cfg.Resume {
		vm.save(&fakeState{Args: cfg.Args})
		// Something worth sending, with zero pages between.
		for page := uint64(2); page < cfg.Memory/4096; page += 2 {
			for i := uint64(0); i < 4096; i += 8 {
				binary.LittleEndian.PutUint64(vm.memory[page*4096+i:], page*0x9e3779b97f4a7c15+i)
			}
		}
	}
	return vm, nil
}

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

func (vm *fakeVM) Start(from *vmm.Left) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	if _, err, _ := vm.faults.get(); err != nil && from != nil {
		return err
	}
	if from != nil {
		vm.input, vm.eof = append([]byte(nil), from.Input...), from.InputEOF
		vm.resumed = time.Now()
	}
	vm.started = true
	vm.goOn()
	return nil
}

// goOn lets the program run. vm.mu is held.
func (vm *fakeVM) goOn() {
	vm.left = false
	vm.asked, vm.gone = make(chan struct{}), make(chan struct{})
	go vm.loop(vm.asked, vm.gone)
}

func (vm *fakeVM) loop(asked, gone chan struct{}) {
	defer close(gone)
	state := vm.load()
	for {
		select {
		case <-asked:
			vm.save(state)
			return
		default:
		}
		if exit := vm.step(state, asked); exit != nil {
			vm.end(*exit)
			return
		}
	}
}

// step runs the program up to its next migration point.
func (vm *fakeVM) step(s *fakeState, asked chan struct{}) *vmm.Exit {
	vm.mu.Lock()
	stopped := vm.stopped
	vm.mu.Unlock()
	if stopped {
		return &vmm.Exit{Code: 143, Signal: 15}
	}
	switch s.Args[1] {
	case "count":
		n, err := strconv.Atoi(s.Args[2])
		if err != nil {
			panic(err)
		}
		if s.Step == n {
			return &vmm.Exit{Code: 42}
		}
		s.Step++
		s.Sum = s.Sum*6364136223846793005 + uint64(s.Step)
		stream := vmm.Stdout
		if s.Step%10 == 0 {
			stream = vmm.Stderr
		}
		vm.cfg.Output(stream, countLine(s.Step, s.Sum))
		time.Sleep(200 * time.Microsecond)
		return nil
	case "crash":
		return &vmm.Exit{Code: 139, Signal: 11, Crash: &vmm.Crash{
			Fault:     vmm.Fault{Reason: "page fault", Addr: 0x10, PC: 0x4001000, Regs: make([]uint64, 17)},
			Backtrace: []vmm.Frame{{PC: 0x4001000, Function: "main", File: "main.c", Line: 7}},
		}}
	case "cat":
		vm.mu.Lock()
		p, eof := vm.input, vm.eof
		vm.input = nil
		vm.mu.Unlock()
		if len(p) > 0 {
			s.Read += len(p)
			vm.cfg.Output(vmm.Stdout, p)
			return nil
		}
		if eof {
			return &vmm.Exit{Code: s.Read % 100}
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

func (vm *fakeVM) end(exit vmm.Exit) {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	select {
	case <-vm.done:
	default:
		vm.exit = exit
		close(vm.done)
	}
}

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

func (vm *fakeVM) Backing() *os.File { return nil }

func (vm *fakeVM) Input() io.WriteCloser { return fakeInput{vm} }

type fakeInput struct{ vm *fakeVM }

func (in fakeInput) Write(p []byte) (int, error) {
	in.vm.mu.Lock()
	defer in.vm.mu.Unlock()
	if in.vm.left {
		return 0, vmm.ErrLeft
	}
	in.vm.input = append(in.vm.input, p...)
	in.vm.poke()
	return len(p), nil
}

func (in fakeInput) Close() error {
	in.vm.mu.Lock()
	defer in.vm.mu.Unlock()
	in.vm.eof = true
	in.vm.poke()
	return nil
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
	left := vm.left || !vm.started
	vm.mu.Unlock()
	if left { // nothing runs that could see it
		vm.end(vmm.Exit{Code: 137, Signal: 9})
	}
}

func (vm *fakeVM) Done() <-chan struct{} { return vm.done }

func (vm *fakeVM) Exit() vmm.Exit {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.exit
}

func (vm *fakeVM) Resumed() time.Time {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return vm.resumed
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
