#define _GNU_SOURCE
#include <sched.h>
#include <stdarg.h>
#include "pthread_impl.h"
#include "syscall.h"

#define THREAD (CLONE_THREAD | CLONE_SETTLS)

/* What the new thread runs lies on its stack, as elsewhere. The kernel is also told where that
   stack ends, which is only in the new descriptor. */
int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	va_list ap;
	va_start(ap, arg);
	pid_t *ptid = va_arg(ap, pid_t *);
	char *tls = va_arg(ap, char *);
	pid_t *ctid = va_arg(ap, pid_t *);
	va_end(ap);
	struct mig_clone *start = (void *)(((uintptr_t)stack & -16) - sizeof *start);
	start->run = func;
	start->argument = arg;
	if ((flags & THREAD) == THREAD) {
		struct pthread *new = (void *)(tls - sizeof *new);
		start->limit = (char *)new->stack - new->stack_size;
	}
	return __syscall(SYS_clone, flags, start, ptid, tls, ctid);
}
