package kvm_test

import (
	"math/bits"
	"slices"
	"testing"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// touch has the probe add one to a word of a page, and returns what it read then.
func (m *machine) touch(t testing.TB, page uint64) uint64 {
	t.Helper()
	return m.access(t, hostabi.PortableBase+page*hostabi.PageSize+64)
}

// look has the probe read the same word.
func (m *machine) look(t testing.TB, page uint64) uint64 {
	t.Helper()
	return m.access(t, hostabi.PortableBase+page*hostabi.PageSize+64|1)
}

func (m *machine) access(t testing.TB, addr uint64) uint64 {
	t.Helper()
	m.ctl.Ret = int64(addr)
	m.run(t, vmm.StopDoorbell)
	return m.ctl.Arg[0]
}

// dirty returns the pages that the log names.
func (m *machine) dirty(t testing.TB) (pages []uint64) {
	t.Helper()
	set := make([]uint64, probeMemory/hostabi.PageSize/64)
	check(t, m.Dirty(set))
	for i, w := range set {
		for ; w != 0; w &= w - 1 {
			pages = append(pages, uint64(64*i+bits.TrailingZeros64(w)))
		}
	}
	return pages
}

// The log names what the guest wrote since it was read last.
func TestDirtyLog(t *testing.T) {
	needKVM(t)
	m := newProbe(t, program(t, "probe", hostISA()), doTouch)
	m.run(t, vmm.StopDoorbell)
	m.touch(t, 900) // before there is a log
	check(t, m.LogDirty(true))
	if got := m.dirty(t); len(got) != 0 {
		t.Errorf("at first: pages %v", got)
	}
	for _, want := range [][]uint64{{300, 301, 700, 1023}, {}, {301}, {300, 512, 513, 900}} {
		for _, p := range want {
			m.touch(t, p)
			m.touch(t, p)
		}
		m.look(t, 800)
		// Where KVM maps a page for a read, it may map it for writing too, and say so.
		got := slices.DeleteFunc(m.dirty(t), func(p uint64) bool { return p == 800 })
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("pages %v, want %v", got, want)
		}
	}
	if got := m.look(t, 301); got != 4 {
		t.Errorf("page 301 was touched %d times, want 4", got)
	}
	if err := m.Dirty(make([]uint64, 1)); err == nil {
		t.Error("a set of another size was taken")
	}
	check(t, m.LogDirty(false))
	m.touch(t, 400)
	check(t, m.LogDirty(true))
	if got := m.dirty(t); len(got) != 0 {
		t.Errorf("when begun again: pages %v", got)
	}
	m.touch(t, 400)
	if got := m.dirty(t); !slices.Equal(got, []uint64{400}) {
		t.Errorf("when begun again: pages %v, want 400", got)
	}
}
