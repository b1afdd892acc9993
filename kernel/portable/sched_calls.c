/* sched_*(2). All threads have the one policy and the one CPU that there is. */
#define _GNU_SOURCE
#include <sched.h>

#include "thread.h"

SYSCALL0(sched_yield)
{
	if (thread_others_ready())
		thread_yield();
	migration_point();
	return 0;
}

static bool exists(int id)
{
	return id == 0 || thread_by_id(id);
}

SYSCALL3(sched_getaffinity, int, id, size_t, size, unsigned long *, mask)
{
	if (!exists(id))
		return -ESRCH;
	if (size < sizeof *mask || size % sizeof *mask)
		return -EINVAL;
	CHECK_POINTER(mask);
	*mask = 1;
	return sizeof *mask;
}

SYSCALL3(sched_setaffinity, int, id, size_t, size, const unsigned long *, mask)
{
	CHECK_POINTER(mask);
	if (!exists(id))
		return -ESRCH;
	return size >= sizeof *mask && (*mask & 1) ? 0 : -EINVAL;
}

SYSCALL3(getcpu, unsigned *, cpu, unsigned *, node, void *, unused)
{
	(void)unused;
	if (cpu)
		*cpu = 0;
	if (node)
		*node = 0;
	return 0;
}

/* Threads of one CPU see memory alike. */
SYSCALL3(membarrier, int, command, unsigned, flags, int, cpu)
{
	enum { QUERY = 0, GLOBAL = 1, PRIVATE_EXPEDITED = 8, REGISTER_PRIVATE_EXPEDITED = 16 };
	(void)cpu;
	if (flags)
		return -EINVAL;
	switch (command) {
	case QUERY:
		return GLOBAL | PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED;
	case GLOBAL: case PRIVATE_EXPEDITED: case REGISTER_PRIVATE_EXPEDITED:
		return 0;
	}
	return -EINVAL;
}

SYSCALL1(sched_getscheduler, int, id)
{
	return exists(id) ? SCHED_OTHER : -ESRCH;
}

SYSCALL2(sched_getparam, int, id, int *, priority)
{
	CHECK_POINTER(priority);
	if (!exists(id))
		return -ESRCH;
	*priority = 0;
	return 0;
}

/* What Linux says to a user without the right to real time. */
static long set(int id, int policy, const int *priority)
{
	CHECK_POINTER(priority);
	if (!exists(id))
		return -ESRCH;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return *priority >= 1 && *priority <= 99 ? -EPERM : -EINVAL;
	if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE)
		return -EINVAL;
	return *priority == 0 ? 0 : -EINVAL;
}

SYSCALL3(sched_setscheduler, int, id, int, policy, const int *, priority)
{
	return set(id, policy, priority);
}

SYSCALL2(sched_setparam, int, id, const int *, priority)
{
	return set(id, SCHED_OTHER, priority);
}

SYSCALL1(sched_get_priority_max, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 99;
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 1;
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

SYSCALL2(sched_rr_get_interval, int, id, struct timespec *, interval)
{
	CHECK_POINTER(interval);
	if (!exists(id))
		return -ESRCH;
	*interval = (struct timespec){.tv_nsec = 5000000};
	return 0;
}
