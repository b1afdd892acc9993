package main

import (
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// QEMU's user network (its manual, "Using the user mode network stack"): the board gets .15,
// the host is reached at .2.
var (
	boardAddr = netip.MustParsePrefix("10.0.2.15/24")
	gateway   = netip.MustParseAddr("10.0.2.2")
)

const device = "eth0"

// startNetwork brings up loopback and the one network device.
func startNetwork() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	if err := awaitDevice(); err != nil {
		return err
	}
	if err := setUp(s, "lo"); err != nil {
		return err
	}
	mask := [4]byte{255, 255, 255, 0}
	if err := setAddr(s, unix.SIOCSIFADDR, boardAddr.Addr().As4()); err != nil {
		return err
	}
	if err := setAddr(s, unix.SIOCSIFNETMASK, mask); err != nil {
		return err
	}
	if err := setUp(s, device); err != nil {
		return err
	}
	return addRoute(s)
}

// awaitDevice waits until the driver has made the device.
func awaitDevice() error {
	for range 1000 {
		if _, err := os.Stat("/sys/class/net/" + device); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("no network device %s", device)
}

func setUp(s int, name string) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

func setAddr(s int, request uint, addr [4]byte) error {
	r, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	if err := r.SetInet4Addr(addr[:]); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, request, r); err != nil {
		return fmt.Errorf("set address of %s: %w", device, err)
	}
	return nil
}

// rtentry is struct rtentry of linux/route.h.
type rtentry struct {
	_                    uintptr
	dst, gateway, mask   unix.RawSockaddrInet4
	flags                uint16
	_                    int16
	_                    uintptr
	_                    uintptr
	metric               int16
	dev                  uintptr
	mtu, window, initRTT uintptr
}

// addRoute makes the host the way to everywhere else.
func addRoute(s int) error {
	any4 := unix.RawSockaddrInet4{Family: unix.AF_INET}
	r := rtentry{
		dst:     any4,
		mask:    any4,
		gateway: unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: gateway.As4()},
		flags:   unix.RTF_UP | unix.RTF_GATEWAY,
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCADDRT, uintptr(unsafe.Pointer(&r)))
	if errno != 0 {
		return fmt.Errorf("add the default route: %w", errno)
	}
	return nil
}
