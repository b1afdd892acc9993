/* Threads that wait for each other: who is woken, in which order, by what, and how they end. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>

#include "harness.h"
#include "thread.h"

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9, WAKE_BITSET = 10 };
#define FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID)

static int word, other, order[16], woken;
static struct { struct mig_clone start; long result; int cleared; } threads[16];

static long futex(int *w, int op, int value, const void *fourth, int *to, unsigned value3)
{
	return __mig_sys_futex((long)w, op, value, (long)fourth, (long)to, value3);
}

static int waits(void *arg)
{
	long n = (long)arg;
	threads[n].result = futex(&word, WAIT, 0, NULL, NULL, 0);
	order[woken++] = n;
	return 0;
}

static int waits_for_bit(void *arg)
{
	long n = (long)arg;
	threads[n].result = futex(&word, WAIT_BITSET, 0, NULL, NULL, 1u << n);
	order[woken++] = n;
	return 0;
}

static int waits_a_millisecond(void *arg)
{
	const struct timespec ms = {0, 1000000};
	long n = (long)arg;
	threads[n].result = futex(&word, WAIT, 0, &ms, NULL, 0);
	return 0;
}

static void enter(void)
{
	struct mig_clone *start = thread_current()->start;
	thread_exit(start->run(start->argument));
}

static long begin(int n, int (*run)(void *))
{
	static int parent;
	threads[n].start = (struct mig_clone){run, (void *)(long)n, NULL, NULL};
	threads[n].cleared = -1;
	threads[n].result = 999;
	long id = __mig_sys_clone(FLAGS, (long)&threads[n].start, (long)&parent, 0, (long)&threads[n].cleared);
	EQUAL(parent, id);
	return id;
}

/* Lets all others run until they wait. */
static void others(void)
{
	for (int i = 0; i < 20; i++)
		__mig_sys_sched_yield();
}

static void wakes_in_order(void)
{
	for (int n = 0; n < 6; n++)
		begin(n, waits);
	others();
	EQUAL(woken, 0);
	EQUAL(futex(&word, WAKE, 2, NULL, NULL, 0), 2);
	others();
	EQUAL(woken, 2);
	EQUAL(futex(&word, REQUEUE, 1, (void *)2, &other, 0), 3);
	others();
	EQUAL(woken, 3);
	EQUAL(futex(&word, WAKE, 9, NULL, NULL, 0), 1);
	EQUAL(futex(&other, WAKE, 9, NULL, NULL, 0), 2);
	others();
	EQUAL(woken, 6);
	const int want[] = {0, 1, 2, 5, 3, 4};
	for (int i = 0; i < 6; i++) {
		EQUAL(order[i], want[i]);
		EQUAL(threads[i].result, 0);
		EQUAL(threads[i].cleared, 0);
	}
	EQUAL(thread_count(), 1);
	EQUAL(futex(&word, CMP_REQUEUE, 1, (void *)2, &other, 7), -EAGAIN);
	EQUAL(futex(&word, WAIT, 1, NULL, NULL, 0), -EAGAIN);
}

static void wakes_by_bit(void)
{
	woken = 0;
	for (int n = 0; n < 3; n++)
		begin(n, waits_for_bit);
	others();
	EQUAL(futex(&word, WAKE_BITSET, 9, NULL, NULL, 1u << 1), 1);
	others();
	EQUAL(order[0], 1);
	EQUAL(futex(&word, WAKE_BITSET, 9, NULL, NULL, 0), -EINVAL);
	EQUAL(futex(&word, WAKE, 9, NULL, NULL, 0), 2);
	others();
	EQUAL(woken, 3);
}

static void pass_time(uint64_t until)
{
	harness_now = until;
}

/* Nobody runs, so the host is asked to wait, and for no longer than the first deadline. */
static void times_out(void)
{
	const struct timespec two = {0, 2000000};
	begin(0, waits_a_millisecond);
	harness_wait = pass_time;
	uint64_t start = harness_now;
	EQUAL(__mig_sys_nanosleep((long)&two, 0), 0);
	EQUAL(threads[0].result, -ETIMEDOUT);
	EQUAL(harness_now, start + 2000000);
	EQUAL(futex(&word, WAKE, 9, NULL, NULL, 0), 0);
}

static int handled;

static void handler(int sig)
{
	handled += sig;
}

/* A handler interrupts a wait, but not with SA_RESTART; and only that of its thread. */
static void interrupts(void)
{
	struct { void (*handler)(int); unsigned long flags; void *restorer; uint64_t mask; }
		action = {handler, SA_RESTART, NULL, 0};
	EQUAL(__mig_sys_rt_sigaction(SIGUSR1, (long)&action, 0, 8), 0);
	action.flags = 0;
	EQUAL(__mig_sys_rt_sigaction(SIGUSR2, (long)&action, 0, 8), 0);
	woken = 0;
	begin(0, waits);
	long id = begin(1, waits);
	others();
	EQUAL(__mig_sys_tkill(id, SIGUSR1), 0);
	others();
	EQUAL(handled, SIGUSR1);
	EQUAL(woken, 0);
	EQUAL(__mig_sys_tkill(id, SIGUSR2), 0);
	others();
	EQUAL(handled, SIGUSR1 + SIGUSR2);
	EQUAL(woken, 1);
	EQUAL(threads[1].result, -EINTR);
	EQUAL(__mig_sys_tkill(id, SIGUSR2), -ESRCH);
	EQUAL(futex(&word, WAKE, 9, NULL, NULL, 0), 1);
	others();
	EQUAL(threads[0].result, 0);
}

static int takes(void *arg)
{
	const uint64_t set = signal_bit(SIGTERM);
	siginfo_t info;
	threads[(long)arg].result = __mig_sys_rt_sigtimedwait((long)&set, (long)&info, 0, 8);
	EQUAL(info.si_signo, SIGTERM);
	return 0;
}

/* A signal to the process goes to whoever waits for it, though all block it. */
static void takes_signal(void)
{
	const uint64_t set = signal_bit(SIGTERM);
	uint64_t old;
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&set, (long)&old, 8), 0);
	begin(0, takes);
	others();
	EQUAL(__mig_sys_kill(1, SIGTERM), 0);
	others();
	EQUAL(threads[0].result, SIGTERM);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_SETMASK, (long)&old, 0, 8), 0);
}

static void to_the_limit(void)
{
	uint64_t before = page_count_free();
	woken = 0;
	for (int n = 1; n < 16; n++)
		begin(n, waits);
	others();
	EQUAL(thread_count(), 16);
	EQUAL(futex(&word, WAKE, 99, NULL, NULL, 0), 15);
	others();
	EQUAL(thread_count(), 1);
	/* All but pages of small objects, which stay with the kernel, come back. */
	CHECK(page_count_free() + 4 >= before);
}

void test(void)
{
	harness_map(4 << 20);
	harness_thread = enter;
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (4 << 20));
	wakes_in_order();
	wakes_by_bit();
	times_out();
	interrupts();
	takes_signal();
	to_the_limit();
	EQUAL(__mig_sys_clone(SIGCHLD, 0, 0, 0, 0), -ENOSYS);
	EQUAL(harness_logs, 1);
}
