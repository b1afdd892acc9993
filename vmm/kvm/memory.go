package kvm

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// memory is a guest's memory as the host sees it: anonymous and sparse, so that reading what
// was never written costs no memory.
type memory struct {
	regions  []region
	private  []byte    // guest-physical 0 onwards
	portable []byte    // guest-physical portablePhys onwards
	mapped   []byte    // what portable is a part of
	root     guestPhys // of the page tables
}

// newMemory makes the memory of a guest that runs p, and fills in its segments, the portable
// ones only where withPortable says so. kept, where not nil, is its portable memory.
func newMemory(t *target, p *vmm.Program, size uint64, withPortable bool, kept *vmm.Kept) (*memory, error) {
	regions, end, err := planRegions(p, size)
	if err != nil {
		return nil, err
	}
	tables, err := buildTables(t.tables, end, regions)
	if err != nil {
		return nil, fmt.Errorf("build page tables: %w", err)
	}
	if uint64(len(tables)) > uint64(devicePhys-end) {
		return nil, fmt.Errorf("no room for page tables for %d bytes of memory", size)
	}
	m := &memory{regions: regions, root: end}
	if err := m.allocate(uint64(end)+uint64(len(tables)), size, kept); err != nil {
		m.close()
		return nil, err
	}
	copy(m.private[end:], tables)
	if err := m.fill(t, p, withPortable); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// allocate maps the memory.
//
// The first touch of a page by the guest costs the host's KVM tens of microseconds where it
// has no hardware to help, so portable memory gets large pages from the host: for that its
// address must have the offset in a large page that its guest-physical address has. Private
// memory is small and scattered; large pages would only waste memory.
func (m *memory) allocate(private, portable uint64, kept *vmm.Kept) (err error) {
	if m.private, err = mapMemory(private); err != nil {
		return fmt.Errorf("map %d bytes of private memory: %w", private, err)
	}
	if kept != nil {
		if uint64(len(kept.Portable)) != portable {
			return fmt.Errorf("%d bytes of portable memory were kept for a guest with %d", len(kept.Portable), portable)
		}
		m.portable, m.mapped = kept.Portable, kept.Mapping
		return nil
	}
	if m.mapped, err = mapMemory(portable + largePage); err != nil {
		return fmt.Errorf("map %d bytes of portable memory: %w", portable, err)
	}
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(m.mapped))) % largePage
	m.portable = m.mapped[skip:][:portable:portable]
	// A host without transparent large pages refuses; then pages are small.
	_ = unix.Madvise(m.portable, unix.MADV_HUGEPAGE)
	return nil
}

func mapMemory(size uint64) ([]byte, error) {
	return unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
}

// fill puts the program, the gate and the monitor in place.
func (m *memory) fill(t *target, p *vmm.Program, withPortable bool) error {
	put := func(addr vmm.GuestVirt, data []byte) error {
		to, err := m.find(addr, len(data), 0)
		if err == nil {
			copy(to, data)
		}
		return err
	}
	if withPortable {
		p.PlacePortable(m.portable)
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Portable() {
			continue
		}
		if err := put(s.Addr, s.Data); err != nil {
			return err
		}
	}
	if err := put(hostabi.GateBase, t.gate); err != nil {
		return err
	}
	to, err := m.find(monitorCode, hostabi.PageSize, permMonitor)
	if err != nil {
		return err
	}
	copy(to, t.monitor)
	return nil
}

// at returns n bytes of the guest's private memory.
func (m *memory) at(addr vmm.GuestVirt, n int) ([]byte, error) { return m.find(addr, n, 0) }

// find returns n bytes of private memory that belong to the guest, or with permMonitor to
// the monitor.
func (m *memory) find(addr vmm.GuestVirt, n int, whose perm) ([]byte, error) {
	for i := range m.regions {
		r := &m.regions[i]
		if addr < r.virt || uint64(addr-r.virt) >= r.size || !r.private() || r.perm&permMonitor != whose {
			continue
		}
		off := uint64(addr - r.virt)
		if n < 0 || uint64(n) > r.size-off {
			break
		}
		return m.private[uint64(r.phys)+off:][:n:n], nil
	}
	return nil, fmt.Errorf("no private memory at [%#x, +%#x)", addr, n)
}

func (m *memory) close() {
	for _, b := range [][]byte{m.mapped, m.private} {
		if b != nil {
			unix.Munmap(b)
		}
	}
	*m = memory{}
}
