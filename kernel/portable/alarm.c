/* Deadlines of threads and timers, and time slices. An idle guest waits with the earliest
   deadline; while a thread computes, the host is asked to set PEND_ALARM then. A program with
   one thread and no timer never asks. */
#include "thread.h"

#define SLICE 5000000 /* ns */

static uint64_t earliest = FOREVER; /* nothing is due before */
static uint64_t asked = FOREVER;    /* what the host was asked for last */
static bool slicing;                /* that is at most one slice away */

uint64_t alarm_earliest(void)
{
	return earliest;
}

void alarm_before(uint64_t deadline)
{
	if (deadline < earliest)
		earliest = deadline;
}

/* An alarm that comes early does no harm: then the next one is asked for. */
void alarm_set(void)
{
	uint64_t at = earliest;
	if (thread_others_ready() && !slicing && !(MIG_CTL->pending & MIG_PEND_COUNT)) {
		uint64_t end = clock_after(SLICE);
		if (end < at)
			at = end;
		slicing = true;
	}
	if (at < asked) {
		asked = at;
		__mig_ring(MIG_OP_ALARM, at, 0, 0, 0);
	}
}

void alarm_rang(void)
{
	asked = FOREVER;
	slicing = false;
	alarm_expire();
}

void alarm_expire(void)
{
	if (earliest == FOREVER)
		return;
	uint64_t now = clock_mono();
	if (now < earliest)
		return;
	earliest = FOREVER;
	alarm_before(timers_expire());
	for (int i = 0; i < threads_end(); i++) {
		struct thread *t = thread_at(i);
		if (!t || t->state != THREAD_BLOCKED)
			continue;
		if (t->deadline <= now)
			thread_wake(t);
		else
			alarm_before(t->deadline);
	}
}

void alarm_resumed(void)
{
	asked = FOREVER;
	slicing = false;
}
