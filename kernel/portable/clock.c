/* Time: the host says what the counter stood at, and how fast it goes. The monotonic clock
   goes on over a move; that both clocks are the host's makes them agree with its own. */
#include <sys/time.h>
#include <sys/times.h>

#include "thread.h"

#define NS 1000000000ull /* a second */

static uint64_t last_mono; /* what was shown last: a clock of another host may lag by a hair */
static uint64_t start_mono;
static uint64_t idle;

/* Nanoseconds since the host wrote the clock parameters. */
static uint64_t since_clock(void)
{
	if (MIG_CTL->clock_mult == 0) {
		__mig_ring(MIG_OP_CLOCK, 0, 0, 0, 0);
		return 0;
	}
	int64_t ticks = __mig_counter() - MIG_CTL->clock_counter;
	if (ticks < 0)
		return 0; /* the host read its counter on another processor */
	return (unsigned __int128)ticks * MIG_CTL->clock_mult >> 32;
}

uint64_t clock_mono(void)
{
	uint64_t since = since_clock(), now = MIG_CTL->clock_mono + since;
	if (now < last_mono)
		return last_mono;
	return last_mono = now;
}

uint64_t clock_real(void)
{
	uint64_t since = since_clock();
	return MIG_CTL->clock_real + since;
}

void clock_start(void)
{
	start_mono = clock_mono();
}

void clock_idle(uint64_t ns)
{
	idle += ns;
}

uint64_t clock_run_time(void)
{
	return clock_mono() - start_mono - idle;
}

/* CPU clocks by number of a process or thread, as Linux makes them: ~number << 3 and what it is
   (linux/posix-timers.h). */
static bool read_cpu_clock(int id, uint64_t *ns)
{
	enum { SCHEDULED = 2, PER_THREAD = 4 };
	int number = ~(id >> 3);
	if ((id & 7) == SCHEDULED && (number == 0 || number == 1)) {
		*ns = clock_run_time();
		return true;
	}
	const struct thread *t = number ? thread_by_id(number) : thread_current();
	if ((id & 7) != (SCHEDULED | PER_THREAD) || !t)
		return false;
	*ns = thread_run_time(t);
	return true;
}

bool clock_read(int id, uint64_t *ns)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = clock_real();
		return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_mono();
		return true;
	/* The whole VM is the process: it computes whenever it does not wait. */
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = clock_run_time();
		return true;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_run_time(thread_current());
		return true;
	}
	return id < 0 && read_cpu_clock(id, ns);
}

static void to_timespec(struct timespec *ts, uint64_t ns)
{
	ts->tv_sec = ns / NS;
	ts->tv_nsec = ns % NS;
}

SYSCALL2(clock_gettime, int, id, struct timespec *, ts)
{
	uint64_t ns;
	CHECK_POINTER(ts);
	if (!clock_read(id, &ns))
		return -EINVAL;
	to_timespec(ts, ns);
	return 0;
}

/* What Linux says to a user without the right to set clocks: this one is the host's. */
SYSCALL2(clock_settime, int, id, const struct timespec *, ts)
{
	CHECK_POINTER(ts);
	if (!timespec_valid(ts) || id != CLOCK_REALTIME)
		return -EINVAL;
	return -EPERM;
}

SYSCALL2(clock_getres, int, id, struct timespec *, ts)
{
	uint64_t ns;
	if (!clock_read(id, &ns))
		return -EINVAL;
	if (ts)
		to_timespec(ts, 1);
	return 0;
}

SYSCALL2(gettimeofday, struct timeval *, tv, void *, zone)
{
	(void)zone;
	if (tv) {
		uint64_t ns = clock_real();
		tv->tv_sec = ns / NS;
		tv->tv_usec = ns % NS / 1000;
	}
	return 0;
}

SYSCALL1(times, struct tms *, t)
{
	uint64_t ticks = clock_run_time() / (NS / 100); /* USER_HZ is 100 on every Linux */
	if (t)
		*t = (struct tms){.tms_utime = ticks};
	return clock_mono() / (NS / 100);
}

bool timespec_valid(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && (uint64_t)ts->tv_nsec < NS;
}

uint64_t timespec_ns(const struct timespec *ts)
{
	uint64_t ns;
	if (__builtin_mul_overflow((uint64_t)ts->tv_sec, NS, &ns) ||
	    __builtin_add_overflow(ns, (uint64_t)ts->tv_nsec, &ns))
		return FOREVER;
	return ns;
}

/* Sleeps until deadline of the monotonic clock. The deadline is on the shadow stack or in a
   record over a move, so the sleeper still waits for what is left. */
static long sleep_until(uint64_t deadline, struct timespec *left)
{
	uint64_t handled = thread_handled();
	while (clock_mono() < deadline) {
		wait_until(deadline);
		if (thread_handled() != handled) {
			uint64_t now = clock_mono();
			if (left)
				to_timespec(left, now < deadline ? deadline - now : 0);
			return -EINTR;
		}
	}
	return 0;
}

uint64_t clock_after(uint64_t ns)
{
	uint64_t deadline;
	return __builtin_add_overflow(clock_mono(), ns, &deadline) ? FOREVER : deadline;
}

SYSCALL2(nanosleep, const struct timespec *, request, struct timespec *, left)
{
	CHECK_POINTER(request);
	if (!timespec_valid(request))
		return -EINVAL;
	return sleep_until(clock_after(timespec_ns(request)), left);
}

SYSCALL4(clock_nanosleep, int, id, int, flags, const struct timespec *, request,
	 struct timespec *, left)
{
	uint64_t now;
	CHECK_POINTER(request);
	if (!timespec_valid(request) || (flags & ~TIMER_ABSTIME) || !clock_read(id, &now))
		return -EINVAL;
	uint64_t ns = timespec_ns(request);
	if (flags & TIMER_ABSTIME) {
		ns = ns > now ? ns - now : 0;
		left = NULL;
	}
	return sleep_until(clock_after(ns), left);
}
