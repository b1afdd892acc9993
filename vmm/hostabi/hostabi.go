// Package hostabi is the Go mirror of kernel/include/host_abi.h, the contract between a
// guest and its host. A test compiles the header and compares every constant and offset.
package hostabi

// Version is MIG_ABI_VERSION. A host refuses an image of another version.
const Version = 2

// Virtual addresses, the same in every build and on every host.
const (
	CtlBase      = 0x02000000 // Ctl, one page, RW, private
	GateBase     = 0x02001000 // the host's code, one page, RX, private
	DoorbellBase = 0x02002000 // a page of no memory
	OutRingBase  = 0x02010000 // Ring, RW, private: guest to host
	InRingBase   = 0x02030000 // Ring, RW, private: host to guest
	TextBase     = 0x04000000 // text, then rodata, private
	PrivateBase  = 0x30000000 // data of native objects, RW, private
	PortableBase = 0x40000000 // all that travels, RW
	StaticBase   = 0x40800000 // the image's data, behind the first thread's shadow stack

	CPUStackBase  = 0x6f00000000 // machine stack of CPU i: [base+i*size, +size)
	CPUStackSize  = 0x10000
	StackBase     = 0x7000000000 // machine stack of thread i: [base+i*stride, +stride)
	StackStride   = 0x4000000
	StackSize     = 0x3ff0000 // mapped of the first thread's machine stack, up to its end
	StackSizeRest = 0x200000  // mapped of each other thread's
	MaxThreads    = 256       // machine stacks, and so threads at one time

	PageSize = 4096
)

// Bits of Ctl.Pending. The host sets them, the guest clears them, both atomically.
const (
	PendMigrate = 0x01
	PendStop    = 0x02
	PendInput   = 0x04
	PendAlarm   = 0x08
	PendCount   = 0x10
)

// Values of Ctl.Boot.
const (
	BootStart  = 0
	BootResume = 1
)

// Doorbell operations, Ctl.Op.
const (
	OpFlush   = 1
	OpWait    = 2
	OpExit    = 3
	OpLeft    = 4
	OpResumed = 5
	OpPanic   = 6
	OpClock   = 7
	OpLog     = 8
	OpAlarm   = 9
	OpRecords = 10
)

// Kinds of OpPanic, its third argument.
const (
	PanicKernel = 1
	PanicAbort  = 2
	PanicOOM    = 3
)

// Streams of the output ring's frames.
const (
	StreamStdout = 1
	StreamStderr = 2
)

// RingSize is the bytes of data in a Ring, a power of two.
const RingSize = 0x10000

// MaxFrame is the longest payload of a frame in the output ring, bytes.
const MaxFrame = 0x4000

// WaitForever is the deadline of an OpWait without one.
const WaitForever = ^uint64(0)

// A Ring is struct mig_ring: single producer, single consumer; the byte indices run freely
// modulo 2^32.
type Ring struct {
	Head uint32 // producer: bytes ever written
	_    [15]uint32
	Tail uint32 // consumer: bytes ever read
	_    [15]uint32
	Data [RingSize]byte
}

// CrashRegs is the number of registers that a Crash holds.
const CrashRegs = 34

// A Crash is struct mig_crash: what a guest's fault handler leaves for a host that cannot
// see registers by itself.
type Crash struct {
	Kind uint32 // 0: none; else the host signal number
	Code uint32 // si_code
	Addr uint64 // faulting address
	PC   uint64
	Regs [CrashRegs]uint64 // by DWARF number
}

// Ctl is struct mig_ctl, the control page. The guest writes it at any time: whoever reads a
// field twice may see two values.
type Ctl struct {
	Pending    uint32
	ABIVersion uint32
	Boot       uint32
	Op         uint32
	Arg        [4]uint64
	Ret        int64
	MemSize    uint64 // bytes of the portable region
	StaticEnd  uint64 // first portable address behind the image's data
	Blob       uint64 // portable address of the boot blob
	BlobSize   uint64 // bytes

	ClockCounter uint64 // guest's counter when the clock was written
	ClockMono    uint64 // ns
	ClockReal    uint64 // ns since 1970
	ClockMult    uint64 // ns per tick, 32.32 fixed point; 0: no counter to trust
	Seed         [32]byte

	Countdown   uint64
	Points      uint64
	InEOF       uint32
	ShowRecords uint32

	LeftMono    uint64 // ns
	LeftThreads uint64
	LeftFrames  uint64
	LeftBytes   uint64

	Bell uint32
	Ack  uint32

	Crash Crash

	Records uint64 // address of the running thread's Records; 0: none
}

// Records is struct mig_records: where a thread's frame records are, a stack that grows up.
type Records struct {
	Stack uint64 // address
	Top   uint64 // bytes of records
}

// MachineStack returns where the machine stack of a thread is mapped. Below it, up to the end
// of the stack before, there is no memory.
func MachineStack(thread int) (start, size uint64) {
	size = StackSizeRest
	if thread == 0 {
		size = StackSize
	}
	return StackBase + uint64(thread+1)*StackStride - size, size
}
