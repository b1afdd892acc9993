package confine

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// syscallNumbers are the rules for this host. What a VM's process does after it is confined:
// it runs Go's runtime and KVM, and reads and writes what it has open. The calls made most
// come first.
func syscallNumbers() []rule {
	const (
		kvm       = 0xae00 // the requests' type (include/uapi/linux/ioctl.h)
		userfault = 0xaa00
	)
	return slices.Concat([]rule{
		when(unix.SYS_IOCTL, 1, 0xff00, kvm, userfault),
		always(unix.SYS_FUTEX), always(unix.SYS_READ), always(unix.SYS_WRITE),
		always(unix.SYS_PREAD64), always(unix.SYS_PWRITE64), always(unix.SYS_EPOLL_PWAIT),
		always(unix.SYS_NANOSLEEP), always(unix.SYS_CLOCK_NANOSLEEP), always(unix.SYS_CLOCK_GETTIME), always(unix.SYS_GETTIMEOFDAY),
		always(unix.SYS_SCHED_YIELD), always(unix.SYS_GETRANDOM),

		// Memory: none that is executable.
		when(unix.SYS_MMAP, 2, unix.PROT_EXEC, 0), when(unix.SYS_MPROTECT, 2, unix.PROT_EXEC, 0),
		always(unix.SYS_MUNMAP), always(unix.SYS_MADVISE), always(unix.SYS_MINCORE), always(unix.SYS_BRK),

		// Threads of its own, and signals to them alone.
		when(unix.SYS_CLONE, 0, unix.CLONE_THREAD|unix.CLONE_VM, unix.CLONE_THREAD|unix.CLONE_VM),
		when(unix.SYS_TGKILL, 0, 0xffffffff, uint32(os.Getpid())),
		always(unix.SYS_RT_SIGACTION), always(unix.SYS_RT_SIGPROCMASK), always(unix.SYS_RT_SIGRETURN), always(unix.SYS_SIGALTSTACK),
		always(unix.SYS_GETTID), always(unix.SYS_GETPID), always(unix.SYS_GETUID), always(unix.SYS_SCHED_GETAFFINITY),
		always(unix.SYS_RESTART_SYSCALL), always(unix.SYS_EXIT), always(unix.SYS_EXIT_GROUP),

		// What is open, and what daemons hand over.
		always(unix.SYS_CLOSE), always(unix.SYS_FSTAT), always(unix.SYS_LSEEK), always(unix.SYS_FCNTL),
		always(unix.SYS_DUP), always(unix.SYS_DUP3), always(unix.SYS_WRITEV), always(unix.SYS_READV),
		always(unix.SYS_EPOLL_CTL), always(unix.SYS_EPOLL_CREATE1), always(unix.SYS_EVENTFD2), always(unix.SYS_PIPE2),
		always(unix.SYS_ACCEPT4), always(unix.SYS_SENDMSG), always(unix.SYS_RECVMSG), always(unix.SYS_SHUTDOWN),
		always(unix.SYS_GETSOCKOPT), always(unix.SYS_SETSOCKOPT), always(unix.SYS_GETSOCKNAME), always(unix.SYS_GETPEERNAME),
		always(unix.SYS_PPOLL),
	}, ownSyscalls)
}
