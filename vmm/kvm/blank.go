package kvm

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A blank is a virtual machine with a virtual CPU and nothing else: what all guests have alike.
// It can be made before it is known what is to run.
type blank struct {
	vm   handle
	vcpu handle
	page []byte // of the virtual CPU, shared with the kernel
	cpu  cpuModel
}

// newBlank makes one.
func newBlank(kvm handle) (*blank, error) {
	b := &blank{vm: handle{-1}, vcpu: handle{-1}}
	if err := b.create(kvm); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *blank) create(kvm handle) error {
	vm, err := kvm.ioctl(kvmCreateVM, machineType(kvm))
	if err != nil {
		return fmt.Errorf("create a virtual machine: %w", err)
	}
	b.vm.fd = int(vm)
	if err := b.prepare(kvm); err != nil {
		return err
	}
	vcpu, err := b.vm.ioctl(kvmCreateVCPU, 0)
	if err != nil {
		return fmt.Errorf("create a virtual CPU: %w", err)
	}
	b.vcpu.fd = int(vcpu)
	size, err := kvm.ioctl(kvmGetVCPUMmapSize, 0)
	if err != nil || size < unsafe.Sizeof(runPage{}) {
		return fmt.Errorf("ask for the size of a virtual CPU's page (%d): %w", size, err)
	}
	if b.page, err = unix.Mmap(b.vcpu.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map the virtual CPU's page: %w", err)
	}
	if err := b.initCPU(kvm); err != nil {
		return fmt.Errorf("set up the virtual CPU: %w", err)
	}
	return nil
}

func (b *blank) close() {
	if b.page != nil {
		unix.Munmap(b.page)
	}
	for _, h := range []handle{b.vcpu, b.vm} {
		if h.fd >= 0 {
			h.close()
		}
	}
	b.page, b.vcpu.fd, b.vm.fd = nil, -1, -1
}
