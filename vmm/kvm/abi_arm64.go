package kvm

import "unsafe"

// What include/uapi/linux/kvm.h and arch/arm64/include/uapi/asm/kvm.h say of aarch64.
const (
	kvmGetOneReg          = iocWrite | unsafe.Sizeof(armOneReg{})<<16 | 0xae<<8 | 0xab
	kvmSetOneReg          = iocWrite | unsafe.Sizeof(armOneReg{})<<16 | 0xae<<8 | 0xac
	kvmARMVCPUInit        = iocWrite | unsafe.Sizeof(armVCPUInit{})<<16 | 0xae<<8 | 0xae
	kvmARMPreferredTarget = iocRead | unsafe.Sizeof(armVCPUInit{})<<16 | 0xae<<8 | 0xaf

	kvmEnableCap = iocWrite | unsafe.Sizeof(armEnableCap{})<<16 | 0xae<<8 | 0xa3

	capIPASize    = 165 // KVM_CAP_ARM_VM_IPA_SIZE
	capNISVToUser = 177 // KVM_CAP_ARM_NISV_TO_USER
)

// armEnableCap is struct kvm_enable_cap.
type armEnableCap struct {
	capability, flags uint32
	args              [4]uint64
	_                 [64]byte
}

// armOneReg is struct kvm_one_reg.
type armOneReg struct {
	id   uint64
	addr uint64
}

// armVCPUInit is struct kvm_vcpu_init.
type armVCPUInit struct {
	target   uint32
	features [7]uint32
}

// An armReg identifies a register for KVM_GET_ONE_REG and KVM_SET_ONE_REG.
type armReg uint64

// Core registers are numbered by their place in struct kvm_regs, in words of 32 bits.
const (
	armCore armReg = 0x6030000000100000

	armX0     = armCore + 2*0
	armSPEL0  = armCore + 2*31
	armPC     = armCore + 2*32
	armPState = armCore + 2*33
	armSPEL1  = armCore + 2*34
	armELREL1 = armCore + 2*35
)

// sysReg returns a system register by its encoding (op0, op1, CRn, CRm, op2).
func sysReg(op0, op1, crn, crm, op2 armReg) armReg {
	return 0x6030000000130000 | op0<<14 | op1<<11 | crn<<7 | crm<<3 | op2
}

// System registers: Arm ARM (DDI 0487), D24 "AArch64 System Register Descriptions".
var (
	armSCTLR   = sysReg(3, 0, 1, 0, 0)
	armCPACR   = sysReg(3, 0, 1, 0, 2)
	armTTBR0   = sysReg(3, 0, 2, 0, 0)
	armTCR     = sysReg(3, 0, 2, 0, 2)
	armESR     = sysReg(3, 0, 5, 2, 0)
	armFAR     = sysReg(3, 0, 6, 0, 0)
	armMAIRReg = sysReg(3, 0, 10, 2, 0)
	armVBAR    = sysReg(3, 0, 12, 0, 0)
	armCNTKCTL = sysReg(3, 0, 14, 1, 0)
	armMMFR0   = sysReg(3, 0, 0, 7, 0)

	// KVM_REG_ARM_TIMER_CNT: the virtual count. The identifier is that of another register
	// by a mistake that became the interface (api.rst, KVM_SET_ONE_REG).
	armTimerCount = sysReg(3, 3, 14, 3, 2)
)
