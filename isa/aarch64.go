package isa

import (
	"debug/elf"
	"strconv"
)

// AArch64 is the 64-bit ISA of Arm, little-endian.
var AArch64 = &ISA{
	Name:       "aarch64",
	OCI:        "arm64",
	Machine:    elf.EM_AARCH64,
	Triple:     "aarch64-unknown-linux-musl",
	DataLayout: "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32",
	Emulation:  "aarch64linux",
	GccLibDir:  "/usr/lib/gcc-cross/aarch64-linux-gnu/12",
	QEMUUser:   "qemu-aarch64-static",
	// Outlined atomics probe the CPU in a constructor through glibc's __getauxval; a level
	// says what the CPU has, so there is nothing to probe.
	CodeGen: []string{"-mno-outline-atomics"},

	DWARFRegs: aarch64Regs(),
	// DWARF for the Arm 64-bit Architecture (aadwarf64), 4.1 "DWARF register names": the
	// return address is the link register, column 30; SP is 31.
	DWARFPC: 30,
	DWARFSP: 31,

	// Arm Architecture Reference Manual, A2.2 "Architecture extensions": what each version
	// makes mandatory; the words are Linux's (Documentation/arch/arm64/elf_hwcaps.rst).
	// armv8.2-a: FEAT_CRC32, FEAT_LSE, FEAT_RDM (8.1), FEAT_DPB (8.2).
	Levels: []Level{
		{
			Name: "armv8-a", Variant: "v8", March: "armv8-a", PollBits: 128,
			Features: []string{"fp", "asimd"},
			FMA:      true, // FMADD and FMLA: base floating point and Advanced SIMD
		},
		{
			Name: "armv8.2-a", Variant: "v8.2", March: "armv8.2-a", PollBits: 128,
			Features: []string{"crc32", "atomics", "asimdrdm", "dcpop"},
			FMA:      true,
		},
	},
}

// aarch64Regs lists aadwarf64, 4.1 "DWARF register names".
func aarch64Regs() []string {
	var regs []string
	for n := range 31 { // 0–30
		regs = append(regs, "x"+strconv.Itoa(n))
	}
	regs = append(regs, "sp", "pc", "elr_mode", "ra_sign_state", // 31–34
		"tpidrro_el0", "tpidr_el0", "tpidr_el1", "tpidr_el2", "tpidr_el3") // 35–39
	for range 6 { // 40–45 reserved
		regs = append(regs, "")
	}
	regs = append(regs, "vg", "ffr") // 46–47
	for n := range 16 {              // 48–63
		regs = append(regs, "p"+strconv.Itoa(n))
	}
	for n := range 32 { // 64–95
		regs = append(regs, "v"+strconv.Itoa(n))
	}
	return regs
}
