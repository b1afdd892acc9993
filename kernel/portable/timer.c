/* Interval timers and POSIX timers: signals at a time of some clock. */
#define _GNU_SOURCE
#include <sys/time.h>

#include "thread.h"

#define NS 1000000000ull
#define POSIX_TIMERS 64
#define INTERVAL_TIMERS 3 /* ITIMER_* are the numbers behind */

struct timer {
	bool exists;
	int clock;
	uint64_t expiry;   /* of that clock, ns; 0: it does not run */
	uint64_t interval; /* ns; 0: once */
	int notify;        /* SIGEV_* */
	int thread;        /* SIGEV_THREAD_ID */
	uint64_t missed;   /* expiries since its signal was sent, which is still pending */
	uint64_t overrun;  /* the same, of the signal that was delivered last */
	siginfo_t info;
};

static struct timer timers[POSIX_TIMERS + INTERVAL_TIMERS];

static struct timer *posix_timer(int id)
{
	if (id < 0 || id >= POSIX_TIMERS || !timers[id].exists)
		return NULL;
	return &timers[id];
}

static uint64_t now_of(const struct timer *t)
{
	uint64_t now = 0;
	clock_read(t->clock, &now);
	return now;
}

/* Of a POSIX timer one signal is pending at a time. times: how often it has come due. */
static void fire(struct timer *t, uint64_t times)
{
	struct thread *to;
	if (t->info.si_code == SI_TIMER && signal_timer_pending(t->info.si_timerid)) {
		t->missed += times;
		return;
	}
	t->missed = times - 1;
	switch (t->notify) {
	case SIGEV_SIGNAL:
		signal_to_process(&t->info);
		break;
	case SIGEV_THREAD_ID:
		if ((to = thread_by_id(t->thread)))
			signal_to_thread(to, &t->info);
		break;
	}
}

void timer_delivered(siginfo_t *info)
{
	struct timer *t = posix_timer(info->si_timerid);
	if (!t)
		return; /* it was deleted meanwhile */
	t->overrun = t->missed < INT32_MAX ? t->missed : INT32_MAX; /* DELAYTIMER_MAX */
	info->si_overrun = t->overrun;
}

/* When the timer is due, on the monotonic clock. */
static uint64_t due(const struct timer *t)
{
	if (!t->exists || !t->expiry)
		return FOREVER;
	uint64_t now = now_of(t);
	return clock_after(t->expiry > now ? t->expiry - now : 0);
}

uint64_t timers_expire(void)
{
	uint64_t next = FOREVER;
	for (int i = 0; i < POSIX_TIMERS + INTERVAL_TIMERS; i++) {
		struct timer *t = &timers[i];
		if (!t->exists || !t->expiry)
			continue;
		uint64_t now = now_of(t);
		if (t->expiry <= now) {
			uint64_t late = t->interval ? (now - t->expiry) / t->interval : 0;
			t->expiry = t->interval ? t->expiry + (late + 1) * t->interval : 0;
			fire(t, late + 1);
		}
		uint64_t at = due(t);
		if (at < next)
			next = at;
	}
	return next;
}

/* Zero stops it. What has come due before is delivered before. */
static void start(struct timer *t, uint64_t expiry, uint64_t interval)
{
	t->expiry = expiry;
	t->interval = interval;
	alarm_before(due(t));
	alarm_set();
	signal_deliver();
}

static uint64_t left(const struct timer *t)
{
	uint64_t now = now_of(t);
	if (!t->expiry)
		return 0;
	return t->expiry > now ? t->expiry - now : 1;
}

/* --- setitimer --- */

static const struct {
	int clock, sig;
} interval_timers[INTERVAL_TIMERS] = {
	[ITIMER_REAL] = {CLOCK_MONOTONIC, SIGALRM},
	[ITIMER_VIRTUAL] = {CLOCK_PROCESS_CPUTIME_ID, SIGVTALRM},
	[ITIMER_PROF] = {CLOCK_PROCESS_CPUTIME_ID, SIGPROF},
};

static struct timer *interval_timer(int which)
{
	struct timer *t = &timers[POSIX_TIMERS + which];
	t->exists = true;
	t->clock = interval_timers[which].clock;
	t->notify = SIGEV_SIGNAL;
	t->info.si_signo = interval_timers[which].sig;
	t->info.si_code = SI_KERNEL;
	return t;
}

static struct timeval to_timeval(uint64_t ns)
{
	return (struct timeval){.tv_sec = ns / NS, .tv_usec = ns % NS / 1000};
}

static void get_interval_timer(int which, struct itimerval *value)
{
	struct timer *t = interval_timer(which);
	value->it_interval = to_timeval(t->interval);
	value->it_value = to_timeval(left(t) + 999); /* what runs is not shown as zero */
	if (!t->expiry)
		value->it_value = (struct timeval){0};
}

static bool timeval_valid(const struct timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000;
}

static uint64_t timeval_ns(const struct timeval *tv)
{
	struct timespec ts = {tv->tv_sec, tv->tv_usec * 1000};
	return timespec_ns(&ts);
}

SYSCALL2(getitimer, int, which, struct itimerval *, value)
{
	CHECK_POINTER(value);
	if (which < 0 || which >= INTERVAL_TIMERS)
		return -EINVAL;
	alarm_expire();
	get_interval_timer(which, value);
	signal_deliver();
	return 0;
}

static uint64_t later(const struct timer *t, uint64_t ns)
{
	uint64_t at;
	return __builtin_add_overflow(now_of(t), ns, &at) ? FOREVER : at;
}

SYSCALL3(setitimer, int, which, const struct itimerval *, value, struct itimerval *, old)
{
	struct itimerval stop = {0};
	if (which < 0 || which >= INTERVAL_TIMERS)
		return -EINVAL;
	if (!value)
		value = &stop;
	if (!timeval_valid(&value->it_value) || !timeval_valid(&value->it_interval))
		return -EINVAL;
	struct itimerval set = *value;
	alarm_expire();
	if (old)
		get_interval_timer(which, old);
	struct timer *t = interval_timer(which);
	uint64_t first = timeval_ns(&set.it_value);
	start(t, first ? later(t, first) : 0, timeval_ns(&set.it_interval));
	return 0;
}

/* --- timer_create --- */

/* struct sigevent as the kernel has it. */
struct k_sigevent {
	union sigval value;
	int signo;
	int notify;
	int tid;
};

SYSCALL3(timer_create, int, clock, const struct k_sigevent *, event, int *, id)
{
	uint64_t now;
	int n = 0;
	CHECK_POINTER(id);
	if (!clock_read(clock, &now))
		return -EINVAL;
	while (n < POSIX_TIMERS && timers[n].exists)
		n++;
	if (n == POSIX_TIMERS)
		return -EAGAIN;
	struct k_sigevent e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
	e.value.sival_int = n;
	if (event)
		e = *event;
	bool signals = e.notify == SIGEV_SIGNAL || e.notify == SIGEV_THREAD_ID;
	if ((!signals && e.notify != SIGEV_NONE) || (signals && (e.signo < 1 || e.signo > SIGNALS)) ||
	    (e.notify == SIGEV_THREAD_ID && !thread_by_id(e.tid)))
		return -EINVAL;
	struct timer *t = &timers[n];
	*t = (struct timer){.exists = true, .clock = clock, .notify = e.notify, .thread = e.tid};
	t->info.si_signo = e.signo;
	t->info.si_code = SI_TIMER;
	t->info.si_timerid = n;
	t->info.si_value = e.value;
	*id = n;
	return 0;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

SYSCALL2(timer_gettime, int, id, struct itimerspec *, value)
{
	struct timer *t = posix_timer(id);
	CHECK_POINTER(value);
	if (!t)
		return -EINVAL;
	alarm_expire();
	value->it_value = to_timespec(left(t));
	value->it_interval = to_timespec(t->interval);
	signal_deliver();
	return 0;
}

SYSCALL4(timer_settime, int, id, int, flags, const struct itimerspec *, value,
	 struct itimerspec *, old)
{
	struct timer *t = posix_timer(id);
	CHECK_POINTER(value);
	if (!t || !timespec_valid(&value->it_value) || !timespec_valid(&value->it_interval))
		return -EINVAL;
	struct itimerspec set = *value;
	alarm_expire();
	if (old)
		*old = (struct itimerspec){to_timespec(t->interval), to_timespec(left(t))};
	uint64_t first = timespec_ns(&set.it_value);
	if (first && !(flags & TIMER_ABSTIME))
		first = later(t, first);
	start(t, first, timespec_ns(&set.it_interval));
	return 0;
}

SYSCALL1(timer_getoverrun, int, id)
{
	const struct timer *t = posix_timer(id);
	return t ? (long)t->overrun : -EINVAL;
}

SYSCALL1(timer_delete, int, id)
{
	struct timer *t = posix_timer(id);
	if (!t)
		return -EINVAL;
	*t = (struct timer){0};
	return 0;
}
