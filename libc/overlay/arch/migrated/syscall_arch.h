/*
 * A system call is a function call. Its number is nearly always a constant, and the
 * switch below folds to a direct call of the kernel's function; so an image holds only
 * the calls that its program can reach. musl's own syscall() keeps the whole switch.
 */
#include "syscalls.h"

#define MIG_INLINE static inline __attribute__((__always_inline__))

#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define MIG_ARGS0
#define MIG_ARGS1 a
#define MIG_ARGS2 a, b
#define MIG_ARGS3 a, b, c
#define MIG_ARGS4 a, b, c, d
#define MIG_ARGS5 a, b, c, d, e
#define MIG_ARGS6 a, b, c, d, e, f
#define MIG_CASE(number, name, arity) \
	case number: return __mig_sys_##name(MIG_ARGS##arity);

MIG_INLINE long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	MIG_SYSCALLS(MIG_CASE)
	default: return __mig_sys_none(n);
	}
}

MIG_INLINE long __syscall0(long n)
{
	return __syscall6(n, 0, 0, 0, 0, 0, 0);
}

MIG_INLINE long __syscall1(long n, long a)
{
	return __syscall6(n, a, 0, 0, 0, 0, 0);
}

MIG_INLINE long __syscall2(long n, long a, long b)
{
	return __syscall6(n, a, b, 0, 0, 0, 0);
}

MIG_INLINE long __syscall3(long n, long a, long b, long c)
{
	return __syscall6(n, a, b, c, 0, 0, 0);
}

MIG_INLINE long __syscall4(long n, long a, long b, long c, long d)
{
	return __syscall6(n, a, b, c, d, 0, 0);
}

MIG_INLINE long __syscall5(long n, long a, long b, long c, long d, long e)
{
	return __syscall6(n, a, b, c, d, e, 0);
}

/* Does not return if the thread is cancelled, or returns -ECANCELED where a caller asked for
   that; 0: it is not. */
long __mig_cancelled();

/* musl calls this one for system calls that are cancellation points. Defined here,
   before musl declares it, it stays internal to each file and folds like the others.
   close has had its effect when it is interrupted (musl, pthread_cancel.c). */
MIG_INLINE long __syscall_cp(long n, long a, long b, long c, long d, long e, long f)
{
	long r = n == __NR_close ? 0 : __mig_cancelled();
	if (r)
		return r;
	r = __syscall6(n, a, b, c, d, e, f);
	if (r == -4 /* EINTR */ && n != __NR_close) {
		long cancelled = __mig_cancelled();
		if (cancelled)
			return cancelled;
	}
	return r;
}

#undef MIG_INLINE
