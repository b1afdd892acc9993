// Package isa describes instruction-set architectures as data: all in which the
// builds of an image differ. Shared code asks these values and never their names.
package isa

import "debug/elf"

// An ISA is one instruction-set architecture.
type ISA struct {
	Name       string      // as in an ELF triple: "x86_64", "aarch64"
	OCI        string      // platform.architecture of an OCI manifest, and GOARCH: "amd64", "arm64"
	Machine    elf.Machine // e_machine of its ELF files
	Triple     string      // LLVM target triple of a build
	DataLayout string      // LLVM data layout of a build
	Emulation  string      // ld.lld -m
	GccLibDir  string      // where Debian keeps this ISA's libgcc.a and libgcc_eh.a
	QEMUUser   string      // user-mode emulator for hosts of another ISA, a program name

	DWARFRegs []string // register names by DWARF number; "" where unused
	DWARFPC   int      // column of the return address in its call frame information
	DWARFSP   int      // column of the stack pointer

	Levels []Level // CPU levels, the most modest first
}

// A Level is a named set of CPU features that a build may rely on.
type Level struct {
	Name     string   // "x86-64-v3", "armv8-a": the OCI platform variant is derived from it
	March    string   // clang -march
	Features []string // what a host must have, in the words of its /proc/cpuinfo
}
