package kvm

import "unsafe"

// What include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h say of x86.
const (
	kvmGetSupportedCPUID = iocRead | iocWrite | 8<<16 | 0xae<<8 | 0x05 // the size is of the header
	kvmSetTSSAddr        = 0xae<<8 | 0x47
	kvmGetTSCkHz         = 0xae<<8 | 0xa3
	kvmGetRegs           = iocRead | unsafe.Sizeof(x86Regs{})<<16 | 0xae<<8 | 0x81
	kvmSetRegs           = iocWrite | unsafe.Sizeof(x86Regs{})<<16 | 0xae<<8 | 0x82
	kvmGetSregs          = iocRead | unsafe.Sizeof(x86Sregs{})<<16 | 0xae<<8 | 0x83
	kvmSetSregs          = iocWrite | unsafe.Sizeof(x86Sregs{})<<16 | 0xae<<8 | 0x84
	kvmGetMSRs           = iocRead | iocWrite | 8<<16 | 0xae<<8 | 0x88
	kvmSetFPU            = iocWrite | unsafe.Sizeof(x86FPU{})<<16 | 0xae<<8 | 0x8d
	kvmSetCPUID2         = iocWrite | 8<<16 | 0xae<<8 | 0x90
	kvmSetXCRs           = iocWrite | unsafe.Sizeof(x86XCRs{})<<16 | 0xae<<8 | 0xa7

	capSetTSSAddr = 4
)

// x86Regs is struct kvm_regs.
type x86Regs struct {
	rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp uint64
	r8, r9, r10, r11, r12, r13, r14, r15   uint64
	rip, rflags                            uint64
}

// x86Segment is struct kvm_segment.
type x86Segment struct {
	base                           uint64
	limit                          uint32
	selector                       uint16
	typ, present, dpl, db, s, l, g uint8
	avl, unusable, _               uint8
}

// x86Table is struct kvm_dtable.
type x86Table struct {
	base  uint64
	limit uint16
	_     [3]uint16
}

// x86Sregs is struct kvm_sregs.
type x86Sregs struct {
	cs, ds, es, fs, gs, ss, tr, ldt x86Segment
	gdt, idt                        x86Table
	cr0, cr2, cr3, cr4, cr8         uint64
	efer, apicBase                  uint64
	interrupts                      [4]uint64
}

// x86FPU is struct kvm_fpu.
type x86FPU struct {
	fpr      [8][16]byte
	fcw, fsw uint16
	ftwx, _  uint8
	opcode   uint16
	ip, dp   uint64
	xmm      [16][16]byte
	mxcsr, _ uint32
}

// x86XCRs is struct kvm_xcrs.
type x86XCRs struct {
	n, flags uint32
	xcr      [16]struct {
		number, _ uint32
		value     uint64
	}
	_ [16]uint64
}

// x86MSR is struct kvm_msrs with one entry.
type x86MSR struct {
	n, _     uint32
	index, _ uint32
	value    uint64
}

// x86CPUID is struct kvm_cpuid2 with room for what any processor has.
type x86CPUID struct {
	n, _    uint32
	entries [256]x86CPUIDEntry
}

// x86CPUIDEntry is struct kvm_cpuid_entry2.
type x86CPUIDEntry struct {
	function, index, flags uint32
	eax, ebx, ecx, edx     uint32
	_                      [3]uint32
}
