/* One process, number 1, user 0: identity, limits, and its end. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "file.h"
#include "thread.h"

#define THE_PROCESS 1

static unsigned file_mask = 022;

_Noreturn void process_exit(int code, int sig)
{
	for (;;)
		__mig_ring(MIG_OP_EXIT, code, sig, 0, 0);
}

SYSCALL1(exit_group, int, code)
{
	process_exit(code & 0xff, 0);
}

/* There are no children to wait for. */
SYSCALL4(wait4, int, pid, int *, status, int, options, struct rusage *, usage)
{
	(void)pid, (void)status, (void)options, (void)usage;
	return -ECHILD;
}

SYSCALL5(waitid, int, type, int, id, void *, info, int, options, struct rusage *, usage)
{
	(void)type, (void)id, (void)info, (void)options, (void)usage;
	return -ECHILD;
}

SYSCALL0(getpid) { return THE_PROCESS; }
SYSCALL0(getppid) { return 0; }
SYSCALL0(getuid) { return 0; }
SYSCALL0(geteuid) { return 0; }
SYSCALL0(getgid) { return 0; }
SYSCALL0(getegid) { return 0; }

SYSCALL1(getpgid, int, pid)
{
	return pid == 0 || pid == THE_PROCESS ? THE_PROCESS : -ESRCH;
}

SYSCALL1(getsid, int, pid)
{
	return pid == 0 || pid == THE_PROCESS ? THE_PROCESS : -ESRCH;
}

/* The machine is what the image was compiled for: neither of its builds. */
SYSCALL1(uname, struct utsname *, u)
{
	CHECK_POINTER(u);
	*u = (struct utsname){
		.sysname = "migrated",
		.nodename = "migrated",
		.release = "1",
		.version = "1",
		.machine = "neutral",
		.domainname = "(none)",
	};
	return 0;
}

SYSCALL1(umask, unsigned, mask)
{
	unsigned before = file_mask;
	file_mask = mask & 0777;
	return before;
}

unsigned process_umask(void)
{
	return file_mask;
}

/* struct rlimit64: what libc passes. Limits are reported, not kept: a VM has one program. */
SYSCALL4(prlimit64, int, pid, unsigned, resource, const uint64_t *, set, uint64_t *, old)
{
	if (pid != 0 && pid != THE_PROCESS)
		return -ESRCH;
	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (set)
		return -EPERM;
	if (old) {
		old[0] = old[1] = ~0ull; /* RLIM_INFINITY */
		if (resource == RLIMIT_NOFILE)
			old[0] = old[1] = FILES_MAX;
		if (resource == RLIMIT_STACK)
			old[0] = old[1] = SHADOW_STACK_MAX;
		if (resource == RLIMIT_CORE)
			old[0] = old[1] = 0;
		if (resource == RLIMIT_AS || resource == RLIMIT_DATA)
			old[0] = old[1] = MIG_CTL->mem_size;
	}
	return 0;
}

SYSCALL2(getrusage, int, who, struct rusage *, usage)
{
	CHECK_POINTER(usage);
	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	/* Without the fields that libc reserves behind those of Linux. */
	memset(usage, 0, offsetof(struct rusage, __reserved));
	if (who != RUSAGE_CHILDREN) {
		uint64_t ns = who == RUSAGE_THREAD ? thread_run_time(thread_current()) : clock_run_time();
		usage->ru_utime.tv_sec = ns / 1000000000;
		usage->ru_utime.tv_usec = ns % 1000000000 / 1000;
		usage->ru_maxrss = (page_count() - page_count_free()) * (PAGE / 1024);
	}
	return 0;
}

SYSCALL1(sysinfo, struct sysinfo *, info)
{
	CHECK_POINTER(info);
	memset(info, 0, offsetof(struct sysinfo, __reserved));
	info->uptime = clock_mono() / 1000000000;
	info->totalram = MIG_CTL->mem_size;
	info->freeram = page_count_free() * PAGE;
	info->procs = 1;
	info->mem_unit = 1;
	return 0;
}

/* Of prctl there is a thread's name. */
SYSCALL5(prctl, int, option, char *, name, long, unused3, long, unused4, long, unused5)
{
	enum { SET_NAME = 15, GET_NAME = 16 };
	struct thread *t = thread_current();
	(void)unused3, (void)unused4, (void)unused5;
	if (option != SET_NAME && option != GET_NAME)
		return -EINVAL;
	CHECK_POINTER(name);
	if (option == GET_NAME) {
		memcpy(name, t->name, sizeof t->name);
		return 0;
	}
	size_t len = strnlen(name, sizeof t->name - 1);
	memset(t->name, 0, sizeof t->name);
	memcpy(t->name, name, len);
	return 0;
}

/* There is nothing that a priority would be compared with. */
SYSCALL2(getpriority, int, which, int, who)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return who == 0 || which == PRIO_USER || thread_by_id(who) ? 20 : -ESRCH; /* 20 - nice */
}

SYSCALL3(setpriority, int, which, int, who, int, nice)
{
	(void)nice;
	long found = do_getpriority(which, who);
	return found < 0 ? found : 0;
}
