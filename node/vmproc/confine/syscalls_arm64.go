package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// ownSyscalls are those that only this ISA has.
var ownSyscalls []rule
