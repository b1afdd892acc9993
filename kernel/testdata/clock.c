/* Clocks and sleeping, with a counter and without. */
#include "harness.h"
#include "kernel.h"

static int waits;

/* Wakes early twice, as a host may. */
static void early(uint64_t deadline)
{
	uint64_t left = deadline - harness_now;
	harness_now += ++waits < 3 ? left / 2 : left;
}

static void terminate(uint64_t deadline)
{
	(void)deadline;
	harness_now += 400;
	MIG_CTL->pending = MIG_PEND_STOP;
}

static int handled;

static void handler(int sig)
{
	handled = sig;
}

void test(void)
{
	struct timespec ts, left = {0};
	harness_map(1 << 20);
	harness_now = 5;
	clock_start();
	EQUAL(clock_mono(), 5);
	MIG_CTL->clock_mono = 1000;
	MIG_CTL->clock_counter = 2; /* 3 ticks ago */
	MIG_CTL->clock_mult = 5ull << 31; /* 2.5 ns each */
	EQUAL(clock_mono(), 1007);
	MIG_CTL->clock_counter = 100; /* read on another processor, ahead of this one */
	EQUAL(clock_mono(), 1007); /* never backwards */
	MIG_CTL->clock_mult = 0; /* the host answers by the parameters themselves */
	MIG_CTL->clock_mono = 7000;
	EQUAL(clock_mono(), 7000);

	MIG_CTL->clock_mult = 1ull << 32;
	MIG_CTL->clock_mono = 10000000;
	MIG_CTL->clock_counter = harness_now = 10000000;
	harness_wait = early;
	EQUAL(__mig_sys_nanosleep((long)&(struct timespec){0, 1000000}, 0), 0);
	EQUAL(waits, 3);
	EQUAL(harness_now, 11000000);
	EQUAL(__mig_sys_clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
					(long)&(struct timespec){0, 12000000}, 0), 0);
	EQUAL(clock_mono(), 12000000);
	EQUAL(__mig_sys_nanosleep((long)&(struct timespec){0, 1000000000}, 0), -EINVAL);
	EQUAL(__mig_sys_clock_gettime(12345, (long)&ts), -EINVAL);
	EQUAL(__mig_sys_clock_gettime(CLOCK_REALTIME, (long)&ts), 0);
	EQUAL(ts.tv_sec, 1700000000);

	/* SIGTERM from the host, handled by the program, ends a sleep. */
	struct { void (*handler)(int); unsigned long flags; void *restorer; uint64_t mask; }
		action = {handler, 0, NULL, 0};
	EQUAL(__mig_sys_rt_sigaction(15, (long)&action, 0, 8), 0);
	harness_wait = terminate;
	EQUAL(__mig_sys_nanosleep((long)&(struct timespec){0, 1000}, (long)&left), -EINTR);
	EQUAL(handled, 15);
	EQUAL(left.tv_nsec, 600);
	EQUAL(MIG_CTL->pending, 0);
}
