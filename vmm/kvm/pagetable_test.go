package kvm

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A translation is what a processor makes of a virtual address.
type translation struct {
	phys  guestPhys
	perm  perm // without permDevice on x86, which has no memory types here
	large bool
}

// A walker translates by tables at a guest-physical address. It is written from the
// processors' manuals, not from the code under test.
type walker func(tables []byte, base guestPhys, virt uint64) (translation, bool)

func entryAt(tables []byte, base, table guestPhys, index uint64) uint64 {
	return binary.LittleEndian.Uint64(tables[uint64(table-base)+8*index:])
}

// walkX86 follows Intel SDM 3A, figure 5-8, and 5.6 "Access Rights".
func walkX86(tables []byte, base guestPhys, virt uint64) (translation, bool) {
	table, user, write, exec := base, true, true, true
	for shift := 39; ; shift -= 9 {
		e := entryAt(tables, base, table, virt>>shift&0x1ff)
		if e&1 == 0 {
			return translation{}, false
		}
		write = write && e>>1&1 == 1
		user = user && e>>2&1 == 1
		exec = exec && e>>63 == 0
		addr := guestPhys(e & 0x000ffffffffff000)
		large := shift == 21 && e>>7&1 == 1
		if shift > 12 && !large {
			table = addr
			continue
		}
		if e>>5&1 == 0 || write && e>>6&1 == 0 {
			panic("accessed or dirty is left to be set")
		}
		t := translation{phys: addr + guestPhys(virt&(1<<shift-1)), large: large}
		if write {
			t.perm |= permWrite
		}
		if exec {
			t.perm |= permExec
		}
		if !user {
			t.perm |= permMonitor
		}
		return t, true
	}
}

// walkARM follows Arm ARM (DDI 0487), D8.2.9 and D8.4 "Memory access control", for 39 bits.
func walkARM(tables []byte, base guestPhys, virt uint64) (translation, bool) {
	table := base
	for shift := 30; ; shift -= 9 {
		e := entryAt(tables, base, table, virt>>shift&0x1ff)
		if e&1 == 0 {
			return translation{}, false
		}
		addr := guestPhys(e & 0x0000fffffffff000)
		if shift > 12 && e&3 == 3 {
			table = addr
			continue
		}
		if shift == 12 && e&3 != 3 || shift == 30 {
			panic("reserved descriptor")
		}
		if e>>10&1 == 0 || e>>8&3 != 3 {
			panic("access flag clear, or not inner shareable")
		}
		t := translation{phys: addr + guestPhys(virt&(1<<shift-1)), large: shift == 21}
		user := e>>6&1 == 1
		if e>>7&1 == 0 {
			t.perm |= permWrite
		}
		if !user {
			t.perm |= permMonitor
		}
		userExec, monitorExec := user && e>>54&1 == 0, e>>53&1 == 0
		switch {
		case user && monitorExec || !user && e>>54&1 == 0:
			panic("executable for the other privilege")
		case userExec || monitorExec:
			t.perm |= permExec
		}
		if e>>2&7 == armDevice {
			t.perm |= permDevice
		}
		return t, true
	}
}

var formats = []struct {
	name    string
	format  *tableFormat
	walk    walker
	devices bool // the walker sees memory types
}{
	{"x86_64", &tablesX86, walkX86, false},
	{"aarch64", &tablesARM, walkARM, true},
}

func TestTables(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	regions := []region{
		{virt: 0x1000, size: 4 * k, perm: permWrite, phys: 0x5000},
		{virt: 0x3000, size: 8 * k, perm: permExec, phys: 0x8000},
		{virt: 2 * m, size: 2 * m, perm: 0, phys: 6 * m},                                // one large page
		{virt: 6*m - 4*k, size: 4*m + 8*k, perm: permWrite, phys: 20*m - 4*k},           // small, two large, small
		{virt: 32 * m, size: 4 * m, perm: permWrite, phys: 40*m + 4*k},                  // no large page fits
		{virt: 64 * m, size: 4 * k, perm: permWrite | permDevice, phys: devicePhys},     //
		{virt: 1 << 30, size: 3<<30 + 4*k, perm: permWrite, phys: portablePhys},         //
		{virt: 1<<39 - 4*k, size: 4 * k, perm: permMonitor | permExec, phys: 0x1000},    // the last page
		{virt: 1<<39 - 16*k, size: 8 * k, perm: permMonitor | permWrite, phys: 0x20000}, //
	}
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			const base = 0x7ff000
			tables, err := buildTables(f.format, base, regions)
			if err != nil {
				t.Fatal(err)
			}
			for i := range regions {
				r := &regions[i]
				for _, off := range edges(r) {
					want := translation{phys: r.phys + guestPhys(off), perm: r.perm}
					if !f.devices {
						want.perm &^= permDevice
					}
					got, ok := f.walk(tables, base, uint64(r.virt)+off)
					want.large = got.large
					if !ok || got != want {
						t.Errorf("%#x: %+v %v, want %+v", uint64(r.virt)+off, got, ok, want)
					}
				}
				for _, virt := range []uint64{uint64(r.virt) - 1, uint64(r.virt) + r.size} {
					if _, ok := f.walk(tables, base, virt); ok && virt < 1<<virtBits {
						t.Errorf("%#x beside a region is mapped", virt)
					}
				}
			}
			// 3 GiB need a table a GiB, not one for each 2 MiB.
			if n := len(tables) / hostabi.PageSize; n > 30 {
				t.Errorf("%d tables: large pages are not used", n)
			}
		})
	}
}

// edges returns offsets in a region: its ends, those of the large pages, and between.
func edges(r *region) []uint64 {
	offs := []uint64{0, 1, r.size / 2, r.size - 1}
	for at := (largePage - uint64(r.virt)%largePage) % largePage; at < r.size && len(offs) < 20; at += largePage {
		offs = append(offs, at)
		if at > 0 {
			offs = append(offs, at-1)
		}
	}
	return offs
}

func TestTablesRefuse(t *testing.T) {
	page := region{virt: 0x200000, size: 0x1000, perm: permWrite, phys: 0x200000}
	for name, bad := range map[string][]region{
		"writable and executable": {{virt: 0, size: 0x1000, perm: permWrite | permExec}},
		"odd address":             {{virt: 1, size: 0x1000}},
		"odd size":                {{virt: 0, size: 0x1001}},
		"odd physical address":    {{virt: 0, size: 0x1000, phys: 8}},
		"too high":                {{virt: 1 << virtBits, size: 0x1000}},
		"reaches too high":        {{virt: 1<<virtBits - 0x1000, size: 0x2000}},
		"wraps around":            {{virt: ^vmm.GuestVirt(0xfff), size: 0x2000}},
		"twice":                   {page, page},
		"large over small":        {page, {virt: 0x200000, size: 0x200000, phys: 0x200000}},
		"small over large":        {{virt: 0x200000, size: 0x200000, phys: 0x200000}, page},
	} {
		for _, f := range formats {
			if _, err := buildTables(f.format, 0x10000000, bad); err == nil {
				t.Errorf("%s, %s: no error", f.name, name)
			}
		}
	}
}

// Random regions: every page is mapped as asked, and nothing else is.
func TestTablesRandom(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	const pages = 4096 // 16 MiB
	for range 50 {
		owner := make([]*region, pages)
		var regions []region
		for at := 0; at < pages; {
			n := 1 + random.IntN(1500)
			n = min(n, pages-at)
			if random.IntN(3) > 0 {
				regions = append(regions, region{
					virt: vmm.GuestVirt(at * hostabi.PageSize),
					size: uint64(n * hostabi.PageSize),
					perm: []perm{0, permWrite, permExec, permMonitor | permExec, permMonitor | permWrite}[random.IntN(5)],
					phys: guestPhys(random.IntN(4)*largePage/2 + at*hostabi.PageSize),
				})
				r := regions[len(regions)-1]
				for i := range n {
					owner[at+i] = &r
				}
			}
			at += n
		}
		for _, f := range formats {
			const base = 0x40000000
			tables, err := buildTables(f.format, base, regions)
			if err != nil {
				t.Fatalf("%s, seed %d: %v", f.name, seed, err)
			}
			for i, r := range owner {
				virt := uint64(i*hostabi.PageSize) + random.Uint64N(hostabi.PageSize)
				got, ok := f.walk(tables, base, virt)
				if err := compare(got, ok, r, virt); err != nil {
					t.Fatalf("%s, seed %d: %v", f.name, seed, err)
				}
			}
		}
	}
}

func compare(got translation, ok bool, r *region, virt uint64) error {
	switch {
	case r == nil && ok:
		return fmt.Errorf("%#x is mapped", virt)
	case r == nil:
		return nil
	case !ok:
		return fmt.Errorf("%#x is not mapped", virt)
	}
	if want := r.phys + guestPhys(virt-uint64(r.virt)); got.phys != want || got.perm != r.perm {
		return fmt.Errorf("%#x leads to %+v, want %#x %v", virt, got, want, r.perm)
	}
	return nil
}
