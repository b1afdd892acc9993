package kvm

// Bits of a page table entry: Intel SDM 3A, 5.5.4 "Linear-Address Translation with 4-Level
// Paging and 5-Level Paging", tables 5-15 to 5-20.
const (
	x86Present  = 1 << 0
	x86Write    = 1 << 1
	x86User     = 1 << 2
	x86Accessed = 1 << 5
	x86Dirty    = 1 << 6
	x86PageSize = 1 << 7 // the entry maps a large page
	x86NoExec   = 1 << 63
)

// Accessed and dirty are set from the beginning: a KVM that shadows these tables then need
// not trap the first access of each page to set them.
var tablesX86 = tableFormat{
	levels: 4,
	table: func(next guestPhys) uint64 {
		return uint64(next) | x86Present | x86Write | x86User | x86Accessed
	},
	leaf: func(to guestPhys, p perm, large bool) uint64 {
		e := uint64(to) | x86Present | x86Accessed
		if p&permWrite != 0 {
			e |= x86Write | x86Dirty
		}
		if p&permExec == 0 {
			e |= x86NoExec
		}
		if p&permMonitor == 0 {
			e |= x86User
		}
		if large {
			e |= x86PageSize
		}
		return e
	},
}
