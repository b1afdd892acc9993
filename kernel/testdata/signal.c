/* Masks, handlers, and the default action at the end: exit status 128 + signal. */
#include <signal.h>

#include "harness.h"
#include "kernel.h"

struct action {
	void (*handler)(int);
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static int calls[65], depth, deepest;

static void count(int sig)
{
	calls[sig]++;
	if (++depth > deepest)
		deepest = depth;
	if (sig == SIGUSR1 && calls[SIGUSR1] == 1) {
		__mig_sys_tkill(1, SIGUSR1); /* blocked while its handler runs */
		EQUAL(calls[SIGUSR1], 1);
		__mig_sys_tkill(1, SIGUSR2);
	}
	depth--;
}

static void with_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	EQUAL(info->si_signo, sig);
	calls[sig]++;
}

static void set(int sig, void *handler, unsigned long flags)
{
	struct action a = {handler, flags, NULL, 0};
	EQUAL(__mig_sys_rt_sigaction(sig, (long)&a, 0, 8), 0);
}

void test(void)
{
	uint64_t mask = 1ull << (SIGUSR1 - 1), old, pending;
	harness_map(1 << 20);
	set(SIGUSR1, count, 0);
	set(SIGUSR2, count, 0);
	set(SIGHUP, with_info, SA_SIGINFO | SA_RESETHAND);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&mask, (long)&old, 8), 0);
	EQUAL(old, 0);
	EQUAL(__mig_sys_kill(1, SIGUSR1), 0);
	EQUAL(calls[SIGUSR1], 0);
	EQUAL(__mig_sys_rt_sigpending((long)&pending, 8), 0);
	EQUAL(pending, mask);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_SETMASK, (long)&old, 0, 8), 0);
	EQUAL(calls[SIGUSR1], 2);
	EQUAL(calls[SIGUSR2], 1);
	EQUAL(deepest, 2);
	EQUAL(__mig_sys_tkill(1, SIGHUP), 0);
	EQUAL(calls[SIGHUP], 1);
	EQUAL(__mig_sys_tkill(1, SIGCHLD), 0); /* ignored by default */
	EQUAL(__mig_sys_kill(2, SIGUSR1), -ESRCH);
	EQUAL(__mig_sys_kill(1, 65), -EINVAL);
	siginfo_t info = {.si_code = SI_QUEUE};
	EQUAL(__mig_sys_rt_sigqueueinfo(1, 0, (long)&info), 0); /* only asks whether it is there */
	EQUAL(__mig_sys_rt_sigqueueinfo(2, 0, (long)&info), -ESRCH);
	EQUAL(__mig_sys_rt_sigqueueinfo(1, 65, (long)&info), -EINVAL);
	EQUAL(__mig_sys_rt_sigaction(SIGKILL, (long)&(struct action){0}, 0, 8), -EINVAL);
	EQUAL(__mig_sys_none(220), -ENOSYS);
	EQUAL(__mig_sys_none(220), -ENOSYS);
	EQUAL(harness_logs, 1);
	CHECK(strcmp(harness_log, "system call 220 (clone) is not supported: the program gets ENOSYS") == 0);
	__mig_sys_tkill(1, SIGHUP); /* its handler was for one time */
	CHECK(!"still alive");
}
