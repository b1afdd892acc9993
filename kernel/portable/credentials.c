/* Users, groups and sessions: user 0 in group 0, which may become nobody else, for nothing
   here asks who it is. */
#include "kernel.h"

#define THE_PROCESS 1
#define KEEP UINT32_MAX /* in calls that set several */

static long become(uint32_t id)
{
	return id == 0 || id == KEEP ? 0 : -EPERM;
}

static long become_all(uint32_t real, uint32_t effective, uint32_t saved)
{
	return become(real) || become(effective) || become(saved) ? -EPERM : 0;
}

SYSCALL1(setuid, uint32_t, id) { return become(id); }
SYSCALL1(setgid, uint32_t, id) { return become(id); }
SYSCALL2(setreuid, uint32_t, real, uint32_t, effective) { return become_all(real, effective, 0); }
SYSCALL2(setregid, uint32_t, real, uint32_t, effective) { return become_all(real, effective, 0); }

SYSCALL3(setresuid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
	return become_all(real, effective, saved);
}

SYSCALL3(setresgid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
	return become_all(real, effective, saved);
}

static long get_all(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
	CHECK_POINTER(real);
	CHECK_POINTER(effective);
	CHECK_POINTER(saved);
	*real = *effective = *saved = 0;
	return 0;
}

SYSCALL3(getresuid, uint32_t *, real, uint32_t *, effective, uint32_t *, saved)
{
	return get_all(real, effective, saved);
}

SYSCALL3(getresgid, uint32_t *, real, uint32_t *, effective, uint32_t *, saved)
{
	return get_all(real, effective, saved);
}

/* There are no groups beside that one. */
SYSCALL2(getgroups, int, most, uint32_t *, groups)
{
	(void)groups;
	return most < 0 ? -EINVAL : 0;
}

SYSCALL2(setgroups, size_t, count, const uint32_t *, groups)
{
	(void)groups;
	return count == 0 ? 0 : -EPERM;
}

/* The process leads its group and its session already. */
SYSCALL2(setpgid, int, pid, int, group)
{
	(void)group;
	return pid == 0 || pid == THE_PROCESS ? -EPERM : -ESRCH;
}

SYSCALL0(setsid) { return -EPERM; }
