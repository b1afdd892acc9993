package kvm

// Bits of a stage 1 descriptor with a granule of 4 KiB: Arm ARM (DDI 0487), D8.3
// "Translation table descriptor formats".
const (
	armValid     = 1 << 0
	armTable     = 1 << 1 // a table above the last level, a page in it
	armAttrShift = 2      // index into MAIR_EL1
	armUser      = 1 << 6 // AP[1]: EL0 has access
	armReadOnly  = 1 << 7 // AP[2]
	armInner     = 3 << 8 // SH: inner shareable
	armAccessed  = 1 << 10
	armPrivNX    = 1 << 53
	armUserNX    = 1 << 54
)

// Indices into MAIR_EL1, and its value: D24.2 "MAIR_EL1".
const (
	armNormal = 0 // write-back, allocating
	armDevice = 1 // nGnRnE
	armMAIR   = 0xff<<(8*armNormal) | 0x00<<(8*armDevice)
)

// The root of a 39-bit address space is a table of level 1 (D8.2 "Translation process").
var tablesARM = tableFormat{
	levels: 3,
	table:  func(next guestPhys) uint64 { return uint64(next) | armTable | armValid },
	leaf: func(to guestPhys, p perm, large bool) uint64 {
		e := uint64(to) | armValid | armAccessed | armInner
		if !large {
			e |= armTable
		}
		if p&permDevice != 0 {
			e |= armDevice << armAttrShift
		}
		if p&permWrite == 0 {
			e |= armReadOnly
		}
		switch {
		case p&permMonitor == 0:
			e |= armUser | armPrivNX
			if p&permExec == 0 {
				e |= armUserNX
			}
		default:
			e |= armUserNX
			if p&permExec == 0 {
				e |= armPrivNX
			}
		}
		return e
	},
}
