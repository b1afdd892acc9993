package confine

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A rule allows a system call: always, or depending on one argument's lower half.
type rule struct {
	nr   uint32
	arg  int    // which argument
	mask uint32 // of it; 0: it does not matter
	any  []uint32
}

// always allows a call whatever its arguments.
func always(nr uintptr) rule { return rule{nr: uint32(nr)} }

// when allows a call if one argument, masked, is one of some values.
func when(nr uintptr, arg int, mask uint32, values ...uint32) rule {
	return rule{uint32(nr), arg, mask, values}
}

// Offsets in struct seccomp_data (include/uapi/linux/seccomp.h). Arguments are 64 bits, the
// lower half first on both ISAs.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

// x32 marks calls of amd64's third ABI (arch/x86/include/uapi/asm/unistd.h). aarch64 has no
// numbers that high.
const x32 = 0x40000000

// program is the filter in classic BPF: what no rule allows fails with EPERM.
func program(rules []rule, arch uint32) []unix.SockFilter {
	const (
		load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		and     = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		atLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		ret     = unix.BPF_RET | unix.BPF_K
	)
	deny := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	allow := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW}
	p := []unix.SockFilter{
		{Code: load, K: dataArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: load, K: dataNr},
		{Code: atLeast, K: x32, Jf: 1},
		deny,
	}
	for _, r := range rules {
		if r.mask == 0 {
			p = append(p, unix.SockFilter{Code: equal, K: r.nr, Jf: 1}, allow)
			continue
		}
		body := []unix.SockFilter{{Code: load, K: dataArgs + 8*uint32(r.arg)}, {Code: and, K: r.mask}}
		for _, v := range r.any {
			body = append(body, unix.SockFilter{Code: equal, K: v, Jf: 1}, allow)
		}
		body = append(body, deny)
		p = append(p, unix.SockFilter{Code: equal, K: r.nr, Jf: uint8(len(body))})
		p = append(p, body...)
	}
	return append(p, deny)
}

// seccomp installs a filter on all threads. They give up new privileges with it.
func seccomp(p []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(p)
	if errno != 0 {
		return errno
	}
	return nil
}
