/* Timers by the harness's clock: when they fire, how often, and what they say is left. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>

#include "harness.h"
#include "thread.h"

#define MS 1000000ull

struct k_sigevent { union sigval value; int signo, notify, tid; };

static int ticks, value, overruns, deliveries;

/* The host's side of MIG_OP_ALARM. */
static void ring_if_due(void)
{
	if (harness_alarm > harness_now)
		return;
	harness_alarm = FOREVER;
	MIG_CTL->pending |= MIG_PEND_ALARM;
}

static void pass_time(uint64_t until)
{
	CHECK(until != FOREVER);
	harness_now = until;
	ring_if_due();
}

static void tick(int sig)
{
	CHECK(sig == SIGALRM || sig == SIGPROF);
	ticks++;
}

static void tagged(int sig, siginfo_t *info, void *context)
{
	(void)context;
	EQUAL(sig, SIGUSR1);
	EQUAL(info->si_code, SI_TIMER);
	value = info->si_value.sival_int;
	overruns = info->si_overrun;
	deliveries++;
}

static void on(int sig, void *handler, unsigned long flags)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; }
		action = {handler, flags, NULL, 0};
	EQUAL(__mig_sys_rt_sigaction(sig, (long)&action, 0, 8), 0);
}

static void interval(void)
{
	const uint64_t none = 0, alarm = signal_bit(SIGALRM);
	struct itimerval set = {{0, 2000}, {0, 3000}}, left;
	uint64_t start = harness_now;
	on(SIGALRM, tick, 0);
	EQUAL(__mig_sys_setitimer(ITIMER_REAL, (long)&set, 0), 0);
	EQUAL(harness_alarm, start + 3 * MS);
	for (int i = 1; i <= 3; i++) {
		EQUAL(__mig_sys_rt_sigsuspend((long)&none, 8), -EINTR);
		EQUAL(ticks, i);
		EQUAL(harness_now, start + 3 * MS + (i - 1) * 2 * MS);
	}
	harness_now += MS / 2;
	EQUAL(__mig_sys_getitimer(ITIMER_REAL, (long)&left), 0);
	EQUAL(left.it_value.tv_usec, 1500);
	EQUAL(left.it_interval.tv_usec, 2000);

	/* It computes: the alarm that the host was asked for comes, and the handler runs. */
	EQUAL(harness_alarm, start + 9 * MS);
	harness_now = harness_alarm;
	ring_if_due();
	__mig_poll_slow();
	EQUAL(ticks, 4);
	EQUAL(MIG_CTL->pending, 0);
	EQUAL(harness_alarm, start + 11 * MS);

	/* What comes due before it is stopped is delivered first; blocked, it comes but once. */
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&alarm, 0, 8), 0);
	harness_now += 20 * MS;
	memset(&set, 0, sizeof set);
	EQUAL(__mig_sys_setitimer(ITIMER_REAL, (long)&set, 0), 0);
	EQUAL(ticks, 4);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_UNBLOCK, (long)&alarm, 0, 8), 0);
	EQUAL(ticks, 5);
	EQUAL(__mig_sys_setitimer(3, (long)&set, 0), -EINVAL);
}

static void posix(void)
{
	int id, other;
	struct itimerspec set = {{0, MS}, {0, MS}}, left;
	struct k_sigevent event = {.signo = SIGUSR1, .notify = SIGEV_SIGNAL};
	const uint64_t user = signal_bit(SIGUSR1);
	event.value.sival_int = 77;
	on(SIGUSR1, tagged, SA_SIGINFO);
	EQUAL(__mig_sys_timer_create(CLOCK_MONOTONIC, (long)&event, (long)&id), 0);
	EQUAL(__mig_sys_timer_create(12345, (long)&event, (long)&other), -EINVAL);
	EQUAL(__mig_sys_timer_settime(id, 0, (long)&set, 0), 0);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&user, 0, 8), 0);
	harness_now += 10 * MS + MS / 4;
	EQUAL(__mig_sys_timer_gettime(id, (long)&left), 0);
	EQUAL(left.it_value.tv_nsec, MS * 3 / 4);
	EQUAL(value, 0);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_UNBLOCK, (long)&user, 0, 8), 0);
	EQUAL(value, 77);
	EQUAL(__mig_sys_timer_getoverrun(id), 9);

	/* It is pending once, however often it comes due; each time counts. */
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&user, 0, 8), 0);
	for (int i = 0; i < 5; i++) {
		harness_now += 2 * MS;
		EQUAL(__mig_sys_timer_gettime(id, (long)&left), 0);
	}
	EQUAL(__mig_sys_timer_getoverrun(id), 9); /* of the last that was delivered */
	value = overruns = deliveries = 0;
	EQUAL(__mig_sys_rt_sigprocmask(SIG_UNBLOCK, (long)&user, 0, 8), 0);
	EQUAL(deliveries, 1);
	EQUAL(overruns, 9);
	EQUAL(__mig_sys_timer_getoverrun(id), 9);
	harness_now += MS;
	EQUAL(__mig_sys_timer_gettime(id, (long)&left), 0);
	EQUAL(deliveries, 2);
	EQUAL(overruns, 0);

	/* By the wall clock, at a time that is past: at once, and no more. */
	value = 0;
	set = (struct itimerspec){{0, 0}, {1, 0}};
	EQUAL(__mig_sys_timer_delete(id), 0);
	EQUAL(__mig_sys_timer_create(CLOCK_REALTIME, (long)&event, (long)&id), 0);
	EQUAL(__mig_sys_timer_settime(id, TIMER_ABSTIME, (long)&set, 0), 0);
	EQUAL(__mig_sys_timer_gettime(id, (long)&left), 0);
	EQUAL(left.it_value.tv_sec | left.it_value.tv_nsec, 0);
	EQUAL(value, 77);
	EQUAL(__mig_sys_timer_delete(id), 0);
	EQUAL(__mig_sys_timer_gettime(id, (long)&left), -EINVAL);
}

/* A timer of the time that is computed does not advance while the guest waits. */
static void computed(void)
{
	const struct timespec long_time = {5, 0};
	struct itimerval set = {{0, 0}, {0, 7000}};
	on(SIGPROF, tick, 0);
	ticks = 0;
	EQUAL(__mig_sys_setitimer(ITIMER_PROF, (long)&set, 0), 0);
	EQUAL(__mig_sys_nanosleep((long)&long_time, 0), 0);
	EQUAL(ticks, 0);
	harness_now += 8 * MS;
	ring_if_due();
	EQUAL(MIG_CTL->pending, MIG_PEND_ALARM);
	__mig_poll_slow();
	EQUAL(ticks, 1);
}

void test(void)
{
	harness_map(1 << 20);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (1 << 20));
	harness_wait = pass_time;
	interval();
	posix();
	computed();
}
