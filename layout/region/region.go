// Package region names the address ranges of the guest/host contract that an image's
// segments may lie in. It mirrors kernel/include/host_abi.h; a test compares the two.
package region

// ABIVersion is MIG_ABI_VERSION, which an image carries and a host checks.
const ABIVersion = 2

// Bases of the regions, guest virtual addresses: MIG_*_BASE.
const (
	TextBase     = 0x04000000 // pinned constants, text, the build's constants; private
	PrivateBase  = 0x30000000 // data of native objects; private
	PortableBase = 0x40000000 // all that travels; first a shadow stack
	StaticBase   = 0x40800000 // the image's portable data
	PageSize     = 4096       // MIG_PAGE_SIZE
)

// StaticLimit is where an image's own portable data must end: the small code model of both
// ISAs puts every symbol below 2 GiB (System V ABI, AMD64 supplement, 3.5.1; AArch64 ELF
// ABI, "Code models").
const StaticLimit = 0x80000000

// TextReach is the most that all text of one build may span, bytes: a bl reaches ±128 MiB
// (Arm ARM, C6.2 "BL").
const TextReach = 128 << 20

// PageUp rounds an address up to a page.
func PageUp(addr uint64) uint64 { return (addr + PageSize - 1) &^ (PageSize - 1) }
