package tender

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// Descriptors of the child.
const (
	fdPortable = 3
	fdPrivate  = 4
	fdStub     = 5
	childFDs   = 3
)

// A region is one range of the guest's private memory, backed by the private file.
type region struct {
	addr   vmm.GuestVirt
	size   uint64 // bytes, whole pages
	prot   int
	offset uint64 // in the private file
}

// memory is a guest's memory: two files that the host and the child map.
type memory struct {
	regions  []region
	portable []byte // the host's mappings
	private  []byte

	portableFile, privateFile *os.File
}

// newMemory makes the memory of a guest that runs p, and fills in the segments; the portable
// ones only where withPortable says so.
func newMemory(p *vmm.Program, size uint64, withPortable bool) (_ *memory, err error) {
	m := &memory{}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	var end uint64
	add := func(addr vmm.GuestVirt, size uint64, prot int) {
		m.regions = append(m.regions, region{addr, size, prot, end})
		end += size
	}
	const rw = unix.PROT_READ | unix.PROT_WRITE
	const ringPages = (128 + hostabi.RingSize + hostabi.PageSize - 1) &^ (hostabi.PageSize - 1)
	add(hostabi.CtlBase, hostabi.PageSize, rw)
	add(hostabi.GateBase, hostabi.PageSize, unix.PROT_READ|unix.PROT_EXEC)
	add(hostabi.OutRingBase, ringPages, rw)
	add(hostabi.InRingBase, ringPages, rw)
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Portable() {
			continue
		}
		prot := unix.PROT_READ
		if s.Write {
			prot |= unix.PROT_WRITE
		}
		if s.Exec {
			prot |= unix.PROT_EXEC
		}
		addr, size := s.Pages()
		add(addr, size, prot)
	}
	add(hostabi.CPUStackBase, hostabi.CPUStackSize, rw)
	for i := range hostabi.MaxThreads {
		start, size := hostabi.MachineStack(i)
		add(vmm.GuestVirt(start), size, rw)
	}

	if m.portableFile, m.portable, err = sharedMemory("portable", size); err != nil {
		return nil, err
	}
	if m.privateFile, m.private, err = sharedMemory("private", end); err != nil {
		return nil, err
	}
	if withPortable {
		p.PlacePortable(m.portable)
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Portable() {
			continue
		}
		at, err := m.at(s.Addr, len(s.Data))
		if err != nil {
			return nil, err
		}
		copy(at, s.Data)
	}
	return m, nil
}

// sharedMemory makes a file of size zero bytes that lives in memory alone, and maps it.
func sharedMemory(name string, size uint64) (*os.File, []byte, error) {
	fd, err := unix.MemfdCreate("migrated-"+name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, fmt.Errorf("make %s memory: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	mem, err := func() ([]byte, error) {
		if err := f.Truncate(int64(size)); err != nil {
			return nil, err
		}
		// A file that shrank under a mapping would kill the host with SIGBUS.
		const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
		if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
			return nil, err
		}
		return unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	}()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("map %d bytes of %s memory: %w", size, name, err)
	}
	return f, mem, nil
}

// at returns n bytes of private memory.
func (m *memory) at(addr vmm.GuestVirt, n int) ([]byte, error) {
	for _, r := range m.regions {
		if addr >= r.addr && uint64(addr-r.addr) < r.size {
			off := uint64(addr - r.addr)
			if n < 0 || uint64(n) > r.size-off {
				break
			}
			return m.private[r.offset+off:][:n:n], nil
		}
	}
	return nil, fmt.Errorf("no private memory at [%#x, +%#x)", addr, n)
}

// table lists the mappings for the stub.
func (m *memory) table() []tableRegion {
	const flags = unix.MAP_SHARED | unix.MAP_FIXED | unix.MAP_NORESERVE
	t := []tableRegion{{
		Addr: hostabi.PortableBase, Size: uint64(len(m.portable)),
		Prot: unix.PROT_READ | unix.PROT_WRITE, Flags: flags, FD: fdPortable,
	}}
	for _, r := range m.regions {
		t = append(t, tableRegion{
			Addr: uint64(r.addr), Size: r.size, Prot: uint64(r.prot), Flags: flags, FD: fdPrivate, Offset: r.offset,
		})
	}
	return t
}

func (m *memory) close() {
	for _, b := range [][]byte{m.portable, m.private} {
		if b != nil {
			unix.Munmap(b)
		}
	}
	for _, f := range []*os.File{m.portableFile, m.privateFile} {
		if f != nil {
			f.Close()
		}
	}
	*m = memory{}
}
