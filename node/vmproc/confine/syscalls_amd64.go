package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// ownSyscalls are those that only this ISA has.
var ownSyscalls = []rule{
	always(unix.SYS_EPOLL_WAIT), always(unix.SYS_POLL), always(unix.SYS_ARCH_PRCTL),
}
