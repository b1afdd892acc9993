package kvm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// memory is a guest's memory as the host sees it.
type memory struct {
	regions  []region
	private  []byte    // guest-physical 0 onwards, sparse
	portable []byte    // guest-physical portablePhys onwards
	file     *os.File  // what portable maps
	root     guestPhys // of the page tables
}

// newMemory makes the memory of a guest that runs p, and fills in its segments, the portable
// ones only where withPortable says so.
func newMemory(t *target, p *vmm.Program, size uint64, withPortable bool) (*memory, error) {
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
	if err := m.allocate(uint64(end)+uint64(len(tables)), size); err != nil {
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

func (m *memory) allocate(private, portable uint64) (err error) {
	const rw = unix.PROT_READ | unix.PROT_WRITE
	m.private, err = unix.Mmap(-1, 0, int(private), rw, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map %d bytes of private memory: %w", private, err)
	}
	fd, err := unix.MemfdCreate("migrated-portable", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("make portable memory: %w", err)
	}
	m.file = os.NewFile(uintptr(fd), "portable")
	if err := unix.Ftruncate(fd, int64(portable)); err != nil {
		return fmt.Errorf("make %d bytes of portable memory: %w", portable, err)
	}
	// A file that shrank under a mapping would kill the host with SIGBUS.
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal portable memory: %w", err)
	}
	m.portable, err = unix.Mmap(fd, 0, int(portable), rw, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map %d bytes of portable memory: %w", portable, err)
	}
	return nil
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
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Portable() {
			if withPortable {
				copy(m.portable[s.Addr-hostabi.PortableBase:], s.Data)
			}
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
	for _, b := range [][]byte{m.portable, m.private} {
		if b != nil {
			unix.Munmap(b)
		}
	}
	if m.file != nil {
		m.file.Close()
	}
	*m = memory{}
}
