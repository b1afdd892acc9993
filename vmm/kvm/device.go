package kvm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
)

const devicePath = "/dev/kvm"

// Requests of Linux's KVM API (Documentation/virt/kvm/api.rst; numbers and structures from
// include/uapi/linux/kvm.h). Those of one ISA are in abi_*.go. A structure's size is part of
// the number: one that is wrong is an unknown request, not a corrupted stack.
const (
	kvmGetAPIVersion       = 0xae<<8 | 0x00
	kvmCreateVM            = 0xae<<8 | 0x01
	kvmCheckExtension      = 0xae<<8 | 0x03
	kvmGetVCPUMmapSize     = 0xae<<8 | 0x04
	kvmCreateVCPU          = 0xae<<8 | 0x41
	kvmRun                 = 0xae<<8 | 0x80
	kvmSetUserMemoryRegion = iocWrite | unsafe.Sizeof(userMemoryRegion{})<<16 | 0xae<<8 | 0x46

	iocWrite = 1 << 30
	iocRead  = 2 << 30

	apiVersion = 12
)

// userMemoryRegion is struct kvm_userspace_memory_region.
type userMemoryRegion struct {
	slot, flags uint32
	phys        uint64
	size        uint64 // bytes
	userAddr    uint64
}

// runPage is struct kvm_run up to what the exits that we handle need.
type runPage struct {
	request uint32 // byte 1 of it is immediate_exit
	_       [4]byte
	reason  uint32
	_       [20]byte
	mmio    struct {
		phys  uint64
		data  [8]byte
		len   uint32
		write uint8
	}
}

// immediateExit is the byte immediate_exit in runPage.request, little-endian.
const immediateExit = 1 << 8

// Exit reasons.
const (
	exitMMIO          = 6
	exitShutdown      = 8
	exitFailEntry     = 9
	exitIntr          = 10
	exitInternalError = 17
	exitNISV          = 28 // aarch64: an access outside of memory, without a syndrome
)

// A handle is a descriptor of /dev/kvm, of a virtual machine or of a virtual CPU.
type handle struct{ fd int }

// openDevice opens /dev/kvm. An error says what to do about it.
func openDevice() (handle, error) {
	fd, err := unix.Open(devicePath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return handle{}, noKVM(err, isContainer())
	}
	h := handle{fd}
	v, err := h.ioctl(kvmGetAPIVersion, 0)
	if err == nil && v != apiVersion {
		err = fmt.Errorf("its API has version %d, want %d", v, apiVersion)
	}
	if err != nil {
		h.close()
		return handle{}, fmt.Errorf("%w: ask %s for its version: %w", vmm.ErrNoKVM, devicePath, err)
	}
	return h, nil
}

// noKVM explains why /dev/kvm cannot be opened.
func noKVM(err error, container bool) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && container:
		return fmt.Errorf("%w: %s is missing in this container: pass it in (--device /dev/kvm)", vmm.ErrNoKVM, devicePath)
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %s is missing: load its module (%s); switch on virtualisation in the firmware, "+
			"or nested virtualisation where this machine is itself virtual: %w", vmm.ErrNoKVM, devicePath, moduleHint, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: no permission for %s: join its group (sudo usermod -aG kvm $USER, then log in again): %w",
			vmm.ErrNoKVM, devicePath, err)
	}
	return fmt.Errorf("%w: %w", vmm.ErrNoKVM, err)
}

func isContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}

// Available returns nil where KVM can be used, else an error that wraps vmm.ErrNoKVM and
// says what to do.
func Available() error {
	h, err := openDevice()
	if err != nil {
		return err
	}
	h.close()
	return nil
}

// ioctl makes a request with a number as argument. A signal does not end it.
func (h handle) ioctl(request, arg uintptr) (uintptr, error) {
	for {
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(h.fd), request, arg)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return r, nil
	}
}

// call makes a request with a structure as argument.
func call[T any](h handle, request uintptr, arg *T) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(h.fd), request, uintptr(unsafe.Pointer(arg)))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return errno
		}
		return nil
	}
}

// extension returns what KVM says of a capability; 0: it does not have it.
func (h handle) extension(capability uintptr) int {
	n, err := h.ioctl(kvmCheckExtension, capability)
	if err != nil {
		return 0
	}
	return int(n)
}

func (h handle) close() error { return unix.Close(h.fd) }
