/*
 * The system calls that the kernel has, by their Linux numbers (asm-generic/unistd.h, which
 * riscv64 uses), with the number of arguments. libc calls __mig_sys_NAME directly; all
 * arguments are longs, as in a register. Results are values or -errno.
 */
#ifndef MIGRATED_SYSCALLS_H
#define MIGRATED_SYSCALLS_H

#define MIG_SYSCALLS(X) \
	X(17, getcwd, 2) \
	X(19, eventfd2, 2) \
	X(23, dup, 1) \
	X(24, dup3, 3) \
	X(25, fcntl, 3) \
	X(29, ioctl, 3) \
	X(32, flock, 2) \
	X(33, mknodat, 4) \
	X(34, mkdirat, 3) \
	X(35, unlinkat, 3) \
	X(36, symlinkat, 3) \
	X(37, linkat, 5) \
	X(38, renameat, 4) \
	X(43, statfs, 2) \
	X(44, fstatfs, 2) \
	X(45, truncate, 2) \
	X(46, ftruncate, 2) \
	X(47, fallocate, 4) \
	X(48, faccessat, 3) \
	X(49, chdir, 1) \
	X(50, fchdir, 1) \
	X(52, fchmod, 2) \
	X(53, fchmodat, 3) \
	X(54, fchownat, 5) \
	X(55, fchown, 3) \
	X(56, openat, 4) \
	X(57, close, 1) \
	X(59, pipe2, 2) \
	X(61, getdents64, 3) \
	X(62, lseek, 3) \
	X(63, read, 3) \
	X(64, write, 3) \
	X(65, readv, 3) \
	X(66, writev, 3) \
	X(67, pread64, 4) \
	X(68, pwrite64, 4) \
	X(69, preadv, 4) \
	X(70, pwritev, 4) \
	X(71, sendfile, 4) \
	X(72, pselect6, 6) \
	X(73, ppoll, 5) \
	X(78, readlinkat, 4) \
	X(79, newfstatat, 4) \
	X(80, fstat, 2) \
	X(81, sync, 0) \
	X(82, fsync, 1) \
	X(83, fdatasync, 1) \
	X(84, sync_file_range, 4) \
	X(88, utimensat, 4) \
	X(93, exit, 1) \
	X(94, exit_group, 1) \
	X(95, waitid, 5) \
	X(96, set_tid_address, 1) \
	X(98, futex, 6) \
	X(99, set_robust_list, 2) \
	X(100, get_robust_list, 3) \
	X(101, nanosleep, 2) \
	X(102, getitimer, 2) \
	X(103, setitimer, 3) \
	X(107, timer_create, 3) \
	X(108, timer_gettime, 2) \
	X(109, timer_getoverrun, 1) \
	X(110, timer_settime, 4) \
	X(111, timer_delete, 1) \
	X(112, clock_settime, 2) \
	X(113, clock_gettime, 2) \
	X(114, clock_getres, 2) \
	X(115, clock_nanosleep, 4) \
	X(118, sched_setparam, 2) \
	X(119, sched_setscheduler, 3) \
	X(120, sched_getscheduler, 1) \
	X(121, sched_getparam, 2) \
	X(122, sched_setaffinity, 3) \
	X(123, sched_getaffinity, 3) \
	X(124, sched_yield, 0) \
	X(125, sched_get_priority_max, 1) \
	X(126, sched_get_priority_min, 1) \
	X(127, sched_rr_get_interval, 2) \
	X(129, kill, 2) \
	X(130, tkill, 2) \
	X(131, tgkill, 3) \
	X(132, sigaltstack, 2) \
	X(133, rt_sigsuspend, 2) \
	X(134, rt_sigaction, 4) \
	X(135, rt_sigprocmask, 4) \
	X(136, rt_sigpending, 2) \
	X(137, rt_sigtimedwait, 4) \
	X(138, rt_sigqueueinfo, 3) \
	X(140, setpriority, 3) \
	X(141, getpriority, 2) \
	X(143, setregid, 2) \
	X(144, setgid, 1) \
	X(145, setreuid, 2) \
	X(146, setuid, 1) \
	X(147, setresuid, 3) \
	X(148, getresuid, 3) \
	X(149, setresgid, 3) \
	X(150, getresgid, 3) \
	X(153, times, 1) \
	X(154, setpgid, 2) \
	X(155, getpgid, 1) \
	X(156, getsid, 1) \
	X(157, setsid, 0) \
	X(158, getgroups, 2) \
	X(159, setgroups, 2) \
	X(160, uname, 1) \
	X(165, getrusage, 2) \
	X(166, umask, 1) \
	X(167, prctl, 5) \
	X(168, getcpu, 3) \
	X(169, gettimeofday, 2) \
	X(172, getpid, 0) \
	X(173, getppid, 0) \
	X(174, getuid, 0) \
	X(175, geteuid, 0) \
	X(176, getgid, 0) \
	X(177, getegid, 0) \
	X(178, gettid, 0) \
	X(179, sysinfo, 1) \
	X(213, readahead, 3) \
	X(214, brk, 1) \
	X(215, munmap, 2) \
	X(216, mremap, 5) \
	X(220, clone, 5) \
	X(222, mmap, 6) \
	X(223, fadvise64, 4) \
	X(226, mprotect, 3) \
	X(227, msync, 3) \
	X(228, mlock, 2) \
	X(229, munlock, 2) \
	X(230, mlockall, 1) \
	X(231, munlockall, 0) \
	X(232, mincore, 3) \
	X(233, madvise, 3) \
	X(240, rt_tgsigqueueinfo, 4) \
	X(260, wait4, 4) \
	X(261, prlimit64, 4) \
	X(267, syncfs, 1) \
	X(276, renameat2, 5) \
	X(278, getrandom, 3) \
	X(279, memfd_create, 2) \
	X(283, membarrier, 3) \
	X(284, mlock2, 3) \
	X(285, copy_file_range, 6) \
	X(439, faccessat2, 4)

#define MIG_SYSCALL_ARGS0 void
#define MIG_SYSCALL_ARGS1 long
#define MIG_SYSCALL_ARGS2 long, long
#define MIG_SYSCALL_ARGS3 long, long, long
#define MIG_SYSCALL_ARGS4 long, long, long, long
#define MIG_SYSCALL_ARGS5 long, long, long, long, long
#define MIG_SYSCALL_ARGS6 long, long, long, long, long, long
#define MIG_SYSCALL_PROTOTYPE(number, name, arity) \
	long __mig_sys_##name(MIG_SYSCALL_ARGS##arity);
MIG_SYSCALLS(MIG_SYSCALL_PROTOTYPE)

/* clone begins a thread. This lies at the stack pointer that it is given, which is one of the
   shadow stack. */
struct mig_clone {
	int (*run)(void *argument);
	void *argument;
	void *limit; /* lowest address of the stack */
	void *spare;
};

/* As SYS_munmap and then SYS_exit, for a thread that unmaps its own stack. */
_Noreturn void __mig_exit_unmapping(void *start, unsigned long size);

/* Every other number: -ENOSYS, and once for each number a line in the host's log. */
long __mig_sys_none(long number);

#endif
