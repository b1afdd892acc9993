package kvm

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

var testProgram = &vmm.Program{Segments: []vmm.Segment{
	{Addr: hostabi.TextBase, MemSize: 5 << 20, Exec: true},
	{Addr: hostabi.TextBase + 6<<20, MemSize: 100},
	{Addr: hostabi.PrivateBase + 8, MemSize: 8, Write: true},
	{Addr: hostabi.PortableBase, MemSize: 8, Write: true},
}}

// What a guest has: no two regions share memory, and what is not the guest's it cannot reach.
func TestPlanRegions(t *testing.T) {
	regions, end, err := planRegions(testProgram, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	byPhys := slices.SortedFunc(slices.Values(regions), func(a, b region) int { return int(a.phys) - int(b.phys) })
	for i, r := range byPhys {
		if i > 0 && byPhys[i-1].phys+guestPhys(byPhys[i-1].size) > r.phys {
			t.Errorf("%+v and %+v overlap", byPhys[i-1], r)
		}
		if r.private() && r.phys+guestPhys(r.size) > end {
			t.Errorf("%+v reaches beyond the end of private memory, %#x", r, end)
		}
		if r.size >= largePage && uint64(r.virt)%largePage != uint64(r.phys)%largePage {
			t.Errorf("%+v cannot have large pages", r)
		}
	}
	perms := map[vmm.GuestVirt]perm{
		hostabi.CtlBase:                 permWrite,
		hostabi.GateBase:                permExec,
		hostabi.DoorbellBase:            permDevice | permWrite,
		hostabi.TextBase:                permExec,
		hostabi.TextBase + 6<<20:        0,
		hostabi.PrivateBase:             permWrite,
		hostabi.PortableBase:            permWrite,
		hostabi.CPUStackBase:            permWrite,
		hostabi.StackBase + 0x10000:     permWrite,
		hostabi.StackBase + 0x4000000*3: 0xff, // its guard
		monitorCode:                     permMonitor | permExec,
		monitorReport:                   permMonitor | permDevice | permWrite,
	}
	for addr, want := range perms {
		got := perm(0xff)
		for _, r := range regions {
			if addr >= r.virt && uint64(addr-r.virt) < r.size {
				got = r.perm
			}
		}
		if got != want {
			t.Errorf("%#x: permissions %#b, want %#b", addr, got, want)
		}
	}
}

func TestPlanRegionsTooBig(t *testing.T) {
	p := &vmm.Program{Segments: []vmm.Segment{{Addr: hostabi.TextBase, MemSize: uint64(devicePhys)}}}
	if _, _, err := planRegions(p, 4096); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("error %v", err)
	}
}

// The interrupt table leads each vector to the stub that reports it.
func TestMonitorX86(t *testing.T) {
	page := targetX86.monitor
	for v := range x86Vectors {
		low, high := binary.LittleEndian.Uint64(page[x86IDT+16*v:]), binary.LittleEndian.Uint64(page[x86IDT+16*v+8:])
		// Intel SDM 3A, figure 7-8 "64-Bit IDT Gate Descriptors".
		offset := low&0xffff | low>>48<<16 | high<<32
		if selector, typ, present := low>>16&0xffff, low>>40&0x1f, low>>47&1; selector != x86MonitorCS || typ != 0xe || present != 1 {
			t.Errorf("gate %d is %#x %#x", v, low, high)
		}
		stub := page[offset-uint64(monitorCode):]
		if stub[0] != 0xc6 || stub[1] != 0x05 || stub[6] != byte(v) || stub[7] != 0xeb || stub[8] != 0xfe {
			t.Errorf("stub %d is % x", v, stub[:9])
		}
		target := offset + 7 + uint64(int64(int32(binary.LittleEndian.Uint32(stub[2:]))))
		if target != uint64(monitorReport) {
			t.Errorf("stub %d stores to %#x", v, target)
		}
	}
}

func TestFaultCauses(t *testing.T) {
	for _, tt := range []struct {
		c    cause
		want string
		addr bool
	}{
		{causeX86(14, 0x4), "read of memory that is not mapped", true},
		{causeX86(14, 0x6), "write to memory that is not mapped", true},
		{causeX86(14, 0x7), "write to read-only memory", true},
		{causeX86(14, 0x15), "jump to memory that is not executable", true},
		{causeX86(14, 0x14), "jump to memory that is not mapped", true},
		{causeX86(0, 0), "integer division by zero or overflow", false},
		{causeX86(31, 0), "exception 31", false},
		{causeARM(0x24<<26 | 0x04), "read of memory that is not mapped", true},
		{causeARM(0x24<<26 | 0x47), "write to memory that is not mapped", true},
		{causeARM(0x24<<26 | 0x4f), "write to read-only memory", true},
		{causeARM(0x24<<26 | 0x21), "misaligned access", true},
		{causeARM(0x20<<26 | 0x0f), "jump to memory that is not executable", true},
		{causeARM(0x20<<26 | 0x06), "jump to memory that is not mapped", true},
		{causeARM(0x15 << 26), "system call instruction", false},
		{causeARM(0x3f << 26), "exception of class 0x3f", false},
	} {
		if tt.c.reason != tt.want || tt.c.address != tt.addr || tt.c.signal == 0 {
			t.Errorf("%+v, want %q, address %v", tt.c, tt.want, tt.addr)
		}
	}
}

func TestTargets(t *testing.T) {
	for want, target := range map[elf.Machine]*target{elf.EM_X86_64: &targetX86, elf.EM_AARCH64: &targetARM} {
		if target.isa.Machine != want || len(target.monitor) != hostabi.PageSize || len(target.gate) > hostabi.PageSize {
			t.Errorf("target of %v: %v, %d bytes of monitor, %d of gate", want, target.isa.Machine, len(target.monitor), len(target.gate))
		}
	}
}
