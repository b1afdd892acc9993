package tender

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"encoding/binary"
	"fmt"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A stub is what of a child is machine code of ours, assembled from stub/*.S.
type stub struct {
	start []byte // sets the process up and enters the guest
	gate  []byte // rings the doorbell, at hostabi.GateBase
	regs  int    // general registers, which have the first DWARF numbers
}

var (
	//go:embed stub/start_x86_64.bin
	startX86_64 []byte
	//go:embed stub/gate_x86_64.bin
	gateX86_64 []byte
	//go:embed stub/start_aarch64.bin
	startAArch64 []byte
	//go:embed stub/gate_aarch64.bin
	gateAArch64 []byte

	stubs = map[elf.Machine]stub{
		elf.EM_X86_64:  {startX86_64, gateX86_64, 16},
		elf.EM_AARCH64: {startAArch64, gateAArch64, 32},
	}
)

// stub/layout.h has the same.
const (
	stubBase     = 0x6e00000000
	stubTable    = stubBase + 0x400
	stubCode     = stubBase + 0x4000
	stubAltStack = stubBase + 0x100000
	stubAltSize  = 0x10000

	exitCrashed = 1
	exitSetup   = 2
	exitRegion  = 3
)

// A tableHeader and its regions tell the stub what to do.
type tableHeader struct {
	Entry uint64 // where the guest begins
	Stack uint64 // its stack pointer
	FDs   uint64 // descriptors to close, from 3 on
	Count uint64 // regions
}

// A tableRegion is one mmap of the child.
type tableRegion struct {
	Addr, Size, Prot, Flags, FD, Offset uint64
}

// file returns the ELF file of a child that maps regions, closes fds descriptors and enters
// the guest at entry (System V gABI, chapters 4 and 5).
func (s stub) file(machine elf.Machine, entry uint64, fds int, regions []tableRegion) ([]byte, error) {
	var b bytes.Buffer
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F',
			elf.EI_CLASS: byte(elf.ELFCLASS64), elf.EI_DATA: byte(elf.ELFDATA2LSB), elf.EI_VERSION: byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(machine),
		Version:   uint32(elf.EV_CURRENT),
		Entry:     stubCode,
		Phoff:     uint64(binary.Size(elf.Header64{})),
		Ehsize:    uint16(binary.Size(elf.Header64{})),
		Phentsize: uint16(binary.Size(elf.Prog64{})),
		Shentsize: uint16(binary.Size(elf.Section64{})),
	}
	size := uint64(stubCode-stubBase) + uint64(len(s.start))
	progs := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: stubBase, Paddr: stubBase,
			Filesz: size, Memsz: size, Align: hostabi.PageSize},
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Vaddr: stubAltStack, Paddr: stubAltStack,
			Memsz: stubAltSize, Align: hostabi.PageSize},
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	}
	header.Phnum = uint16(len(progs))
	table := tableHeader{
		Entry: entry,
		Stack: hostabi.CPUStackBase + hostabi.CPUStackSize,
		FDs:   uint64(fds),
		Count: uint64(len(regions)),
	}
	for _, part := range []struct {
		offset int
		data   any
	}{
		{0, header},
		{int(header.Phoff), progs},
		{stubTable - stubBase, table},
		{stubTable - stubBase + binary.Size(table), regions},
		{stubCode - stubBase, s.start},
	} {
		if b.Len() > part.offset {
			return nil, fmt.Errorf("%d regions do not fit into the stub's table", len(regions))
		}
		b.Write(make([]byte, part.offset-b.Len()))
		if err := binary.Write(&b, binary.LittleEndian, part.data); err != nil {
			return nil, fmt.Errorf("write the child's ELF file: %w", err)
		}
	}
	return b.Bytes(), nil
}

func stubFor(a *isa.ISA) (stub, error) {
	s, ok := stubs[a.Machine]
	if !ok {
		return stub{}, fmt.Errorf("no tender for %s", a.Name)
	}
	return s, nil
}
