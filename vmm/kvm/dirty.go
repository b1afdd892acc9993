package kvm

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// KVM_GET_DIRTY_LOG (Documentation/virt/kvm/api.rst, 4.8): what was written since the last
// call, and write-protection of it until it is written again.
const (
	kvmGetDirtyLog = iocWrite | unsafe.Sizeof(dirtyLog{})<<16 | 0xae<<8 | 0x42

	memLogDirtyPages = 1 << 0 // a flag of userMemoryRegion
)

// dirtyLog is struct kvm_dirty_log.
type dirtyLog struct {
	slot, _ uint32
	bitmap  unsafe.Pointer // one bit a page of the slot, rounded up to 64
}

var _ vmm.DirtyLogger = (*Machine)(nil)

// LogDirty begins or ends logging which pages of portable memory the guest writes. What the
// host writes is not logged. The first write to each page costs the guest a fault, and large
// pages are split for the time.
func (m *Machine) LogDirty(on bool) error {
	var flags uint32
	if on {
		flags = memLogDirtyPages
	}
	if err := m.setSlot(slotPortable, flags, portablePhys, m.mem.portable); err != nil {
		return fmt.Errorf("log what the guest writes: %w", err)
	}
	return nil
}

// Dirty adds to set the pages that were written since LogDirty or the last Dirty. Page n is
// bit n%64 of word n/64. A page written meanwhile is in this set or in the next.
func (m *Machine) Dirty(set []uint64) error {
	words := (len(m.mem.portable)/hostabi.PageSize + 63) / 64
	if len(set) != words {
		return fmt.Errorf("read the dirty log: a set of %d words, want %d", len(set), words)
	}
	if len(m.dirty) != words {
		m.dirty = make([]uint64, words)
	}
	log := dirtyLog{slot: slotPortable, bitmap: unsafe.Pointer(unsafe.SliceData(m.dirty))}
	err := call(m.vm, kvmGetDirtyLog, &log)
	runtime.KeepAlive(m.dirty)
	if err != nil {
		return fmt.Errorf("read the dirty log: %w", err)
	}
	for i, w := range m.dirty {
		set[i] |= w
	}
	return nil
}

// setSlot gives the machine memory, or changes the flags of what it has.
func (m *Machine) setSlot(slot, flags uint32, phys guestPhys, host []byte) error {
	return call(m.vm, kvmSetUserMemoryRegion, &userMemoryRegion{
		slot:     slot,
		flags:    flags,
		phys:     uint64(phys),
		size:     uint64(len(host)),
		userAddr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(host)))),
	})
}
