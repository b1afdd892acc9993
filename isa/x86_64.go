package isa

import (
	"debug/elf"
	"strconv"
)

// X86_64 is the 64-bit ISA of AMD and Intel.
var X86_64 = &ISA{
	Name:       "x86_64",
	OCI:        "amd64",
	Machine:    elf.EM_X86_64,
	Triple:     "x86_64-unknown-linux-musl",
	DataLayout: "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128",
	Emulation:  "elf_x86_64",
	GccLibDir:  "/usr/lib/gcc/x86_64-linux-gnu/12",
	QEMUUser:   "qemu-x86_64-static",
	// To 64 bytes, as lines of caches are. To 16, as by default, a loop's time depends on what
	// was compiled before its function.
	CodeGen: []string{"-mllvm", "-align-all-functions=6"},

	DWARFRegs: x86_64Regs(),
	// System V ABI, AMD64 supplement, 3.6.2 "DWARF Register Number Mapping": the return
	// address is column 16, rsp is 7.
	DWARFPC: 16,
	DWARFSP: 7,

	// System V ABI, AMD64 supplement, 3.1.1 "Processor Architecture", micro-architecture
	// levels; the words are Linux's (arch/x86/include/asm/cpufeatures.h): pni is SSE3,
	// abm is LZCNT, and xsave stands for OSXSAVE too. LLVM's preserve_all keeps 128 bits of 16 vector
	// registers, with AVX 256, and no more with AVX-512 (X86CallingConv.td, CSR_64_RT_AllRegs_AVX).
	Levels: []Level{
		{
			Name: "x86-64-v2", Variant: "v2", March: "x86-64-v2", PollBits: 128,
			Features: []string{"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"},
		},
		{
			Name: "x86-64-v3", Variant: "v3", March: "x86-64-v3", PollBits: 256,
			Features: []string{"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
			FMA:      true,
		},
		{
			// By itself clang tunes this level for the first of its processors, Skylake, which
			// slowed down on vectors of 512 bits. Those of today hardly do (docs/migratecc.md).
			Name: "x86-64-v4", Variant: "v4", March: "x86-64-v4", Tune: "znver4", PollBits: 256,
			Features: []string{"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
			FMA:      true,
		},
	},
}

// x86_64Regs lists System V ABI, AMD64 supplement, figure 3.36.
func x86_64Regs() []string {
	regs := []string{
		"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		"rip",
	}
	for n := range 16 { // 17–32
		regs = append(regs, "xmm"+strconv.Itoa(n))
	}
	for n := range 8 { // 33–40
		regs = append(regs, "st"+strconv.Itoa(n))
	}
	for n := range 8 { // 41–48
		regs = append(regs, "mm"+strconv.Itoa(n))
	}
	return append(regs, "rflags") // 49
}
