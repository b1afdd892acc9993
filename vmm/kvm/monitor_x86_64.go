package kvm

import (
	"encoding/binary"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
)

// The target of x86-64 hosts. The guest is entered in ring 3 directly: a KVM without
// hardware support emulates ring 0 instruction by instruction, and only the report of a
// fault runs there.
var targetX86 = target{
	isa:    isa.X86_64,
	tables: &tablesX86,
	// movl $1, DoorbellBase; ret. The address is absolute: SIB without base and index.
	gate:    append(x86Store(0xc7, 0x04, 0x25, hostabi.DoorbellBase, 1, 0, 0, 0), 0xc3),
	monitor: monitorX86(),
}

// What lies where in the monitor's code page.
const (
	x86Stubs    = 0x000 // code, x86StubSize for each vector
	x86StubSize = 0x10
	x86IDT      = 0x400
	x86GDT      = 0x800
	x86TSS      = 0x900
)

// x86Vectors are the processor's own exceptions; all other interrupts are beyond the limit
// of the IDT (Intel SDM 3A, 7.3.1 "External Interrupts").
const x86Vectors = 32

// Selectors in the GDT. Those of the guest are Linux's.
const (
	x86MonitorCS = 0x08
	x86GuestSS   = 0x28 | 3
	x86GuestCS   = 0x30 | 3
	x86TR        = 0x38
)

// x86GDTEntries: Intel SDM 3A, 3.4.5 "Segment Descriptors"; accessed, so that nothing is
// written to them.
var x86GDTEntries = [...]uint64{
	x86MonitorCS / 8: 0x00af9b000000ffff, // 64-bit code, DPL 0
	x86GuestSS / 8:   0x00cff3000000ffff, // data, DPL 3
	x86GuestCS / 8:   0x00affb000000ffff, // 64-bit code, DPL 3
}

// x86TSSLimit leaves no room for an I/O bitmap: no port is open to the guest.
const x86TSSLimit = 0x67

// monitorX86 returns the monitor's code page: a stub for each vector, and the tables that
// lead there.
func monitorX86() []byte {
	page := make([]byte, hostabi.PageSize)
	for v := range x86Vectors {
		at := x86Stubs + v*x86StubSize
		const length = 7
		rel := int64(monitorReport) - int64(monitorCode) - int64(at+length)
		// movb $v, report(%rip); jmp .
		copy(page[at:], append(x86Store(0xc6, 0x05, -1, rel, byte(v)), 0xeb, 0xfe))

		// Intel SDM 3A, 7.14.1 "64-Bit Mode IDT": a present interrupt gate. int3 alone may be
		// executed by the guest.
		dpl := uint64(0)
		if v == x86Breakpoint {
			dpl = 3
		}
		offset := uint64(monitorCode) + uint64(at)
		gate := page[x86IDT+16*v:]
		binary.LittleEndian.PutUint64(gate, offset&0xffff|x86MonitorCS<<16|(0x8e|dpl<<5)<<40|offset>>16&0xffff<<48)
		binary.LittleEndian.PutUint64(gate[8:], offset>>32)
	}
	for i, d := range x86GDTEntries {
		binary.LittleEndian.PutUint64(page[x86GDT+8*i:], d)
	}
	// Intel SDM 3A, 9.7 "Task Management in 64-Bit Mode": RSP0 at 4, I/O map base at 102.
	binary.LittleEndian.PutUint64(page[x86TSS+4:], uint64(monitorStack)+hostabi.PageSize)
	binary.LittleEndian.PutUint16(page[x86TSS+102:], x86TSSLimit+1)
	return page
}

// x86Store encodes mov of an immediate to memory: opcode, ModRM, SIB unless negative, a
// displacement of 32 bits.
func x86Store(opcode, modrm byte, sib int, disp int64, imm ...byte) []byte {
	code := []byte{opcode, modrm}
	if sib >= 0 {
		code = append(code, byte(sib))
	}
	code = binary.LittleEndian.AppendUint32(code, uint32(disp))
	return append(code, imm...)
}
