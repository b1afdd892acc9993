package confine

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// network says whether the process is in a network of its own, with nothing in it. Whoever
// starts it must see to that: it is a thread's and not a process's property.
func network() Finding {
	f := Finding{Means: "no network"}
	interfaces, err := net.Interfaces()
	if err != nil {
		f.Note = err.Error()
		return f
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback == 0 || i.Flags&net.FlagUp != 0 {
			f.Answer, f.Note = No, "it shares the host's, and can open no socket in it"
			return f
		}
	}
	f.Answer = Yes
	return f
}

// capabilities gives up all.
func capabilities() Finding {
	f := Finding{Means: "no capabilities", Answer: Yes}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none, has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err == nil && has == none {
		return f // a service manager has taken them, and capset too
	}
	if _, err := all(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0); err != nil {
		f.Answer, f.Note = No, err.Error()
	}
	return f
}
