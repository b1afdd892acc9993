package kvm_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/kvm"
)

// What the probe can do: testdata/probe/probe.c.
const (
	doRing = iota + 1
	doSpin
	doWalk
	doCounter
	doVector
	doFloat
	doRegisters
	doTouch
)

const (
	readNull = iota + 20
	writeText
	writeRodata
	runData
	runStack
	jumpWild
	divide
	undefined
	systemCall
	breakpoint
	privileged
	stackOverflow
	threadStackOverflow
	readMonitor
	writeGate
	readDoorbell
	pairDoorbell
	notCanonical
)

func TestDoorbell(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doRing)
	const privateWord = 42
	for i := range uint64(100) {
		m.run(t, vmm.StopDoorbell)
		if m.ctl.Op != uint32(1000+i) {
			t.Fatalf("ring %d: operation %d", i, m.ctl.Op)
		}
		if want := (i - 1) * 7; i > 0 && m.ctl.Arg[0] != want {
			t.Fatalf("ring %d: the guest read the answer %d, want %d", i, m.ctl.Arg[0], want)
		}
		if got := m.value(int(i % 16)); got != i*privateWord {
			t.Fatalf("ring %d: portable memory has %d, want %d", i, got, i*privateWord)
		}
		m.ctl.Ret = int64(i * 7)
	}
}

func TestKick(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doSpin)
	m.Kick() // before there is a Run
	m.run(t, vmm.StopKicked)
	last := uint64(0)
	for range 50 {
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			m.run(t, vmm.StopKicked)
		}()
		for m.progress() == last {
			runtime.Gosched()
		}
		m.Kick()
		<-stopped
		last = m.progress()
	}
	// A kick at a doorbell is not lost, nor does it lose the doorbell.
	m = newProbe(t, program(t, "probe", hostISA()), doRing)
	m.run(t, vmm.StopDoorbell)
	m.Kick()
	m.Kick()
	m.run(t, vmm.StopKicked)
	m.run(t, vmm.StopDoorbell)
	if m.ctl.Op != 1001 {
		t.Errorf("after a kick operation %d, want 1001", m.ctl.Op)
	}
}

// The processor begins at the entry point with clean vector registers and no exceptions
// enabled, and may use what the host has.
func TestFloat(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doFloat)
	m.run(t, vmm.StopDoorbell)
	zero, three := 0.0, 3.0
	for i, want := range []float64{1 / three, 1 / zero, math.SmallestNonzeroFloat64} {
		if got := math.Float64frombits(m.value(i)); m.ctl.Op == 0xdead || got != want {
			t.Errorf("result %d is %v, want %v", i, got, want)
		}
	}
}

func TestVector(t *testing.T) {
	needKVM(t)
	widths := []uint64{128}
	info, err := os.ReadFile("/proc/cpuinfo")
	check(t, err)
	for feature, width := range map[string]uint64{" avx2 ": 256, " avx512f ": 512} {
		if bytes.Contains(info, []byte(feature)) {
			widths = append(widths, width)
		}
	}
	for _, width := range widths {
		if width == 128 && hostISA() == isa.X86_64 {
			continue // TestFloat has used SSE
		}
		m := newProbe(t, program(t, "probe", hostISA()), doVector, width)
		m.run(t, vmm.StopDoorbell)
		if want := bytes.Repeat([]byte{0xff}, int(width/8)); !bytes.HasPrefix(m.result, want) {
			t.Errorf("a register of %d bits left %x", width, m.result[:width/8])
		}
	}
}

// All portable memory is there, and no other: not a page more.
func TestPortable(t *testing.T) {
	needKVM(t)
	const first = 0x100000
	g := program(t, "probe", hostISA())
	m := newProbe(t, g, doWalk, probeMemory)
	want := uint64(0)
	mem := m.Portable()
	if len(mem) != probeMemory {
		t.Fatalf("%d bytes of portable memory, want %d", len(mem), probeMemory)
	}
	for off := first; off < len(mem); off += hostabi.PageSize {
		mem[off] = byte(off>>12) | 1
		want += uint64(mem[off])
	}
	m.run(t, vmm.StopDoorbell)
	if got := m.value(0); got != want {
		t.Errorf("the guest read %d, want %d", got, want)
	}
	for off := first; off < len(mem); off += hostabi.PageSize {
		addr := uint64(hostabi.PortableBase + off)
		if got := uint64(mem[off+8]) | uint64(mem[off+9])<<8 | uint64(mem[off+10])<<16 | uint64(mem[off+11])<<24; got != addr {
			t.Fatalf("at %#x the guest wrote %#x", addr, got)
		}
	}
	m = newProbe(t, g, doWalk, probeMemory+hostabi.PageSize)
	f := m.run(t, vmm.StopFault).Fault
	if f.Addr != hostabi.PortableBase+probeMemory {
		t.Errorf("fault at %#x, want %#x", f.Addr, hostabi.PortableBase+probeMemory)
	}
}

// With Resume the image's data is left out.
func TestResumeLeavesPortableAlone(t *testing.T) {
	needKVM(t)
	g := program(t, "vmmtest", hostISA())
	for _, resume := range []bool{false, true} {
		m, err := kvm.New(vmm.Spec{Image: g.config, Build: g.build, Memory: probeMemory, Resume: resume})
		check(t, err)
		zero := !slices.ContainsFunc(m.Portable(), func(b byte) bool { return b != 0 })
		if zero != resume {
			t.Errorf("resume %v: portable memory is all zero: %v", resume, zero)
		}
		check(t, m.Close())
	}
}

// The counter that the guest reads is the one that the host knows.
func TestCounter(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doCounter)
	for range 20 {
		before, mult, err := m.Counter()
		check(t, err)
		if mult == 0 {
			t.Fatal("no counter")
		}
		m.run(t, vmm.StopDoorbell)
		after, _, err := m.Counter()
		check(t, err)
		if got := m.value(0); got < before || got > after {
			t.Fatalf("guest read %d, the host %d before and %d after", got, before, after)
		}
	}
	// Its ticks are as long as it says: what it counts lies between two times of the host's.
	var times [4]time.Time
	times[0] = time.Now()
	begin, mult, err := m.Counter()
	check(t, err)
	times[1] = time.Now()
	time.Sleep(200 * time.Millisecond)
	times[2] = time.Now()
	end, _, err := m.Counter()
	check(t, err)
	times[3] = time.Now()
	counted := float64(end-begin) * float64(mult) / (1 << 32)
	least, most := float64(times[2].Sub(times[1])), float64(times[3].Sub(times[0]))
	if counted < 0.99*least || counted > 1.01*most {
		t.Errorf("counted %v in %v to %v", time.Duration(counted), time.Duration(least), time.Duration(most))
	}
}

// At gives private memory to the host, and nothing else.
func TestAt(t *testing.T) {
	needKVM(t)
	g := program(t, "probe", hostISA())
	m := newProbe(t, g, doRing)
	for _, tt := range []struct {
		addr vmm.GuestVirt
		n    int
		ok   bool
	}{
		{hostabi.CtlBase, hostabi.PageSize, true},
		{hostabi.CtlBase, hostabi.PageSize + 1, false},
		{hostabi.OutRingBase, 128 + hostabi.RingSize, true},
		{hostabi.InRingBase, 128 + hostabi.RingSize, true},
		{hostabi.TextBase, 16, true},
		{hostabi.CPUStackBase, hostabi.CPUStackSize, true},
		{hostabi.CPUStackBase + hostabi.CPUStackSize - 8, 8, true},
		{hostabi.CPUStackBase + hostabi.CPUStackSize - 8, 9, false},
		{hostabi.CPUStackBase - 1, 1, false},
		{hostabi.StackBase + hostabi.StackStride - hostabi.StackSize - 1, 1, false},
		{hostabi.StackBase + hostabi.StackStride - hostabi.StackSize, hostabi.StackSize, true},
		{hostabi.PortableBase, 8, false},
		{hostabi.DoorbellBase, 8, false},
		{0x7f00000000, 8, false}, // the monitor's
		{0, 8, false},
		{math.MaxUint64, 8, false},
		{hostabi.CtlBase, -1, false},
		{hostabi.CtlBase, math.MaxInt, false},
	} {
		b, err := m.At(tt.addr, tt.n)
		if (err == nil) != tt.ok || err == nil && len(b) != tt.n {
			t.Errorf("At(%#x, %#x) = %d bytes, %v, want ok %v", tt.addr, tt.n, len(b), err, tt.ok)
		}
	}
	text, err := m.At(vmm.GuestVirt(symbol(t, g, "_start")), 16)
	check(t, err)
	if bytes.Equal(text, make([]byte, 16)) {
		t.Error("no code at the entry point")
	}
}

// Nothing is left behind by machines that are gone, whether they ran or not.
func TestCloseFreesEverything(t *testing.T) {
	needKVM(t)
	g := program(t, "probe", hostISA())
	cycle := func() {
		m, err := kvm.New(vmm.Spec{Image: g.config, Build: g.build, Memory: probeMemory})
		check(t, err)
		page, err := m.At(hostabi.CtlBase, hostabi.PageSize)
		check(t, err)
		ctl, err := hostabi.CtlAt(page)
		check(t, err)
		ctl.Arg[0] = doRing
		_, err = m.Run()
		check(t, err)
		check(t, m.Close())
		m.Kick() // of one that is gone: does nothing
	}
	cycle()
	descriptors, mappings := held(t)
	for range 200 {
		cycle()
	}
	d, m := held(t)
	// Go's own heap may grow by a mapping or two, not by one for each machine.
	if d != descriptors || m > mappings+20 {
		t.Errorf("%d descriptors and %d mappings, before 200 machines %d and %d", d, m, descriptors, mappings)
	}
}

func held(t *testing.T) (descriptors, mappings int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	maps, err := os.ReadFile("/proc/self/maps")
	check(t, err)
	return len(fds), bytes.Count(maps, []byte("\n"))
}

func TestBuildOfAnotherISA(t *testing.T) {
	other := isa.X86_64
	if other == hostISA() {
		other = isa.AArch64
	}
	g := program(t, "probe", hostISA())
	b := *g.build
	b.ISA = other
	m, err := kvm.New(vmm.Spec{Image: g.config, Build: &b, Memory: probeMemory})
	if err == nil {
		m.Close()
		t.Fatal("a machine for a build of another ISA")
	}
	if want := fmt.Sprintf("build is for %s, this host is %s", other.Name, hostISA().Name); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}
