// Package userfault lets a program fill memory page by page while others already use it:
// whoever touches a page that is not there waits until it is (Linux's userfaultfd).
package userfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PageSize is the unit, bytes.
const PageSize = 4096

// Requests and structures of include/uapi/linux/userfaultfd.h
// (Documentation/admin-guide/mm/userfaultfd.rst). A structure's size is part of the number.
const (
	iocRead, iocWrite = 2 << 30, 1 << 30

	uffdioRegister   = iocRead | iocWrite | unsafe.Sizeof(register{})<<16 | 0xaa<<8 | 0x00
	uffdioUnregister = iocRead | unsafe.Sizeof(span{})<<16 | 0xaa<<8 | 0x01
	uffdioWake       = iocRead | unsafe.Sizeof(span{})<<16 | 0xaa<<8 | 0x02
	uffdioCopy       = iocRead | iocWrite | unsafe.Sizeof(copyIn{})<<16 | 0xaa<<8 | 0x03
	uffdioZeroPage   = iocRead | iocWrite | unsafe.Sizeof(zeroIn{})<<16 | 0xaa<<8 | 0x04
	uffdioAPI        = iocRead | iocWrite | unsafe.Sizeof(api{})<<16 | 0xaa<<8 | 0x3f

	deviceNew = 0xaa<<8 | 0x00 // of /dev/userfaultfd

	apiVersion = 0xaa

	registerMissing = 1 << 0

	ioctlCopy, ioctlZeroPage = 1 << 3, 1 << 4

	eventPageFault = 0x12
	messageLen     = 32
)

type (
	api      struct{ api, features, ioctls uint64 }
	span     struct{ start, len uint64 }
	register struct {
		span
		mode, ioctls uint64
	}
	copyIn struct {
		dst, src, len, mode uint64
		copied              int64
	}
	zeroIn struct {
		span
		mode   uint64
		zeroed int64
	}
)

// ErrUnsupported is returned where this host cannot do it; what wraps it says why.
var ErrUnsupported = errors.New("memory cannot be filled on demand here")

// ErrClosed is returned by Fault once the area is closed.
var ErrClosed = errors.New("area is closed")

// An Area is memory whose missing pages somebody is going to fill. Its methods may be called
// by several goroutines at once.
type Area struct {
	mem   []byte
	fd    int // stays open as long as there is a file
	file  *os.File
	start uint64

	idle    atomic.Bool  // nothing is watched, after Unwatch
	reading sync.RWMutex // held for reading by Fault
}

// Open makes an area that watches nothing yet. An error wraps ErrUnsupported and says what to
// do. It is a step of its own for a process that gives up its rights before there is memory to
// watch.
func Open() (*Area, error) {
	fd, err := open()
	if err != nil {
		return nil, err
	}
	// The descriptor does not block: reads use Go's poller.
	return &Area{fd: fd, file: os.NewFile(uintptr(fd), "userfaultfd")}, nil
}

// open makes a descriptor that reports faults of the kernel too: KVM touches memory on
// behalf of a guest.
func open() (int, error) {
	fd, err := device()
	if err != nil {
		r, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0)
		if errno != 0 {
			return 0, explain(errno)
		}
		fd = int(r)
	}
	request := api{api: apiVersion}
	if err := ioctl(fd, uffdioAPI, &request); err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("%w: agree on userfaultfd's version: %w", ErrUnsupported, err)
	}
	return fd, nil
}

// device opens /dev/userfaultfd (Linux 6.1), whose permissions say who may.
func device() (int, error) {
	dev, err := unix.Open("/dev/userfaultfd", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dev)
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(dev), deviceNew, unix.O_CLOEXEC|unix.O_NONBLOCK)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

func explain(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: this kernel was built without userfaultfd", ErrUnsupported)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: userfaultfd needs CAP_SYS_PTRACE, access to /dev/userfaultfd, or vm.unprivileged_userfaultfd=1", ErrUnsupported)
	}
	return fmt.Errorf("%w: userfaultfd: %w", ErrUnsupported, err)
}

// Watch begins to watch mem, whole pages of anonymous memory, once, and again after Unwatch.
// Pages that are there stay, the others are missing from now on.
func (a *Area) Watch(mem []byte) error {
	if a.idle.Swap(false) {
		if err := a.file.SetReadDeadline(time.Time{}); err != nil {
			return fmt.Errorf("watch memory again: %w", err)
		}
	}
	start := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(mem))))
	r := register{span: span{start, uint64(len(mem))}, mode: registerMissing}
	err := ioctl(a.fd, uffdioRegister, &r)
	if err == nil && r.ioctls&(ioctlCopy|ioctlZeroPage) != ioctlCopy|ioctlZeroPage {
		err = errors.New("it cannot place pages in this memory")
	}
	if err != nil {
		return fmt.Errorf("%w: watch %d bytes of memory: %w", ErrUnsupported, len(mem), err)
	}
	a.mem, a.start = mem, start
	return nil
}

// Fault waits until somebody waits for a page, and returns its number. A page may be reported
// several times, also when it has come meanwhile: then Wake ends the waiting.
func (a *Area) Fault() (page uint64, err error) {
	a.reading.RLock()
	defer a.reading.RUnlock()
	for {
		if a.idle.Load() {
			return 0, ErrClosed
		}
		var m [messageLen]byte
		n, err := a.file.Read(m[:])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue // Unwatch
		case errors.Is(err, os.ErrClosed):
			return 0, ErrClosed
		case err != nil:
			return 0, fmt.Errorf("read a page fault: %w", err)
		case n != messageLen:
			return 0, fmt.Errorf("read a page fault: %d bytes", n)
		case m[0] != eventPageFault:
			continue
		}
		// The address is that of the access: struct uffd_msg, arg.pagefault.address.
		return (binary.NativeEndian.Uint64(m[16:]) - a.start) / PageSize, nil
	}
}

// Copy places pages from a number on, and lets those go on who wait for them. It reports
// false where a page was there before; that one and those behind it were not placed.
func (a *Area) Copy(page uint64, data []byte) (bool, error) {
	c := copyIn{
		dst: a.start + page*PageSize,
		src: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data)))),
		len: uint64(len(data)),
	}
	for c.len > 0 {
		c.copied = 0
		err := ioctl(a.fd, uffdioCopy, &c)
		if err == nil {
			break
		}
		if c.copied > 0 { // some of it
			c.dst, c.src, c.len = c.dst+uint64(c.copied), c.src+uint64(c.copied), c.len-uint64(c.copied)
			continue
		}
		switch {
		case errors.Is(err, unix.EAGAIN): // the address space is being changed
		case errors.Is(err, unix.EEXIST):
			return false, nil
		default:
			return false, fmt.Errorf("place page %d: %w", page, err)
		}
	}
	runtime.KeepAlive(data)
	return true, nil
}

// Zero places pages of zeros, as Copy does.
func (a *Area) Zero(page, count uint64) (bool, error) {
	z := zeroIn{span: span{a.start + page*PageSize, count * PageSize}}
	for z.len > 0 {
		z.zeroed = 0
		err := ioctl(a.fd, uffdioZeroPage, &z)
		if err == nil {
			break
		}
		if z.zeroed > 0 {
			z.start, z.len = z.start+uint64(z.zeroed), z.len-uint64(z.zeroed)
			continue
		}
		switch {
		case errors.Is(err, unix.EAGAIN):
		case errors.Is(err, unix.EEXIST):
			return false, nil
		default:
			return false, fmt.Errorf("place zeros at page %d: %w", page, err)
		}
	}
	return true, nil
}

// Wake lets those look again who wait for a page.
func (a *Area) Wake(page uint64) error {
	return ioctl(a.fd, uffdioWake, &span{a.start + page*PageSize, PageSize})
}

// Drop makes pages of anonymous memory missing, whatever they hold: now, if it is watched, or once it is.
// Until then whoever reads one makes it a page of zeros that is there.
func Drop(mem []byte, page, count uint64) error {
	if err := unix.Madvise(mem[page*PageSize:(page+count)*PageSize], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("drop %d pages from %d on: %w", count, page, err)
	}
	return nil
}

// Unwatch ends the watch as Close does, and leaves the area for other memory.
func (a *Area) Unwatch() error {
	if a.mem == nil {
		return nil
	}
	err := ioctl(a.fd, uffdioUnregister, &span{a.start, uint64(len(a.mem))})
	a.idle.Store(true)
	if err := a.file.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return errors.Join(err, a.file.Close())
	}
	a.reading.Lock() // nobody waits for a fault of this memory any more
	defer a.reading.Unlock()
	a.mem = nil
	return err
}

// Close ends the watch. Pages that are missing still are zero from then on: whoever waits for
// one goes on with zeros. Fault returns ErrClosed.
func (a *Area) Close() error {
	var err error
	if a.mem != nil {
		err = ioctl(a.fd, uffdioUnregister, &span{a.start, uint64(len(a.mem))})
	}
	return errors.Join(err, a.file.Close())
}

// ioctl makes a request. A signal does not end it.
func ioctl[T any](fd int, request uintptr, arg *T) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(arg)))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return errno
		}
		return nil
	}
}
