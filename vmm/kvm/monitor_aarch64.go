package kvm

import (
	"encoding/binary"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
)

// The target of aarch64 hosts. The guest runs at EL0; EL1 has nothing but the vectors that
// report an exception.
var targetARM = target{
	isa:    isa.AArch64,
	tables: &tablesARM,
	gate: armCode(
		0xd2800010|hostabi.DoorbellBase&0xffff<<5, // movz x16, low half
		0xf2a00010|hostabi.DoorbellBase>>16<<5,    // movk x16, high half, lsl 16
		0xb900021f,                                // str wzr, [x16]
		0xd65f03c0,                                // ret
	),
	monitor: monitorARM(),
}

// Exception vectors: Arm ARM (DDI 0487), D1.4.1 "Exception vectors".
const (
	armVectors    = 16
	armVectorSize = 0x80
	armVectorSync = 8 // synchronous, from a lower level that uses AArch64
)

// monitorARM returns the monitor's code page, a vector table. SP_EL1 holds the address of
// the report page, so that a vector needs no other register.
func monitorARM() []byte {
	page := make([]byte, hostabi.PageSize)
	for v := range uint32(armVectors) {
		copy(page[v*armVectorSize:], armCode(
			0xb90003ff|v<<10, // str wzr, [sp, #4*v]
			0x14000000,       // b .
		))
	}
	return page
}

func armCode(words ...uint32) []byte {
	var code []byte
	for _, w := range words {
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	return code
}
