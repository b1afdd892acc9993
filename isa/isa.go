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
	CodeGen    []string    // clang options of a build beside -march

	DWARFRegs []string // register names by DWARF number; "" where unused
	DWARFPC   int      // column of the return address in its call frame information
	DWARFSP   int      // column of the stack pointer

	Levels []Level // CPU levels, the most modest first; each can run what is for those before
}

// A Level is a named set of CPU features that a build may rely on.
type Level struct {
	Name     string   // "x86-64-v3", "armv8-a"
	Variant  string   // platform.variant of an OCI manifest: "v3", "v8"
	March    string   // clang -march
	Tune     string   // processor to tune for; empty: as March has it
	PollBits int      // of each vector register that the call of a poll keeps
	Features []string // what a host must have, in the words of its /proc/cpuinfo
	FMA      bool     // has fused multiply-add of float and double, scalars and vectors
}

// All returns every ISA that images may be built for, ordered by name.
func All() []*ISA { return []*ISA{AArch64, X86_64} }

// ByName returns the ISA with that Name, or nil.
func ByName(name string) *ISA {
	return find(func(i *ISA) bool { return i.Name == name })
}

// ByOCI returns the ISA with that OCI architecture (or GOARCH), or nil.
func ByOCI(arch string) *ISA {
	return find(func(i *ISA) bool { return i.OCI == arch })
}

// ByMachine returns the ISA of ELF files with that e_machine, or nil.
func ByMachine(m elf.Machine) *ISA {
	return find(func(i *ISA) bool { return i.Machine == m })
}

// ByLevel returns the ISA and the level with that level name; ok says whether there is one.
// Level names are unique over all ISAs.
func ByLevel(name string) (i *ISA, l Level, ok bool) {
	for _, i := range All() {
		if l, ok := i.Level(name); ok {
			return i, l, true
		}
	}
	return nil, Level{}, false
}

func find(match func(*ISA) bool) *ISA {
	for _, i := range All() {
		if match(i) {
			return i
		}
	}
	return nil
}

// Level returns the level with that name.
func (i *ISA) Level(name string) (Level, bool) {
	for _, l := range i.Levels {
		if l.Name == name {
			return l, true
		}
	}
	return Level{}, false
}

// Rank returns the position of a level in Levels, or -1: a host that can run a level can
// run all of lower rank.
func (i *ISA) Rank(level string) int {
	for n, l := range i.Levels {
		if l.Name == level {
			return n
		}
	}
	return -1
}

// Supported returns the names of the levels that a host with these CPU features can run,
// the most modest first. features are the words of /proc/cpuinfo ("flags" or "Features").
// A level counts only if all before it do.
func (i *ISA) Supported(features []string) []string {
	have := make(map[string]bool, len(features))
	for _, f := range features {
		have[f] = true
	}
	var names []string
	for _, l := range i.Levels {
		for _, f := range l.Features {
			if !have[f] {
				return names
			}
		}
		names = append(names, l.Name)
	}
	return names
}

// RegName returns the name of a DWARF register, or "".
func (i *ISA) RegName(n int) string {
	if n < 0 || n >= len(i.DWARFRegs) {
		return ""
	}
	return i.DWARFRegs[n]
}
