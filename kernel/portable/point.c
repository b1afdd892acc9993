/* Migration points: what a thread does when it finds pending != 0, and how it waits. */
#include "kernel.h"

static void done_with(uint32_t bits)
{
	__atomic_fetch_and(&MIG_CTL->pending, ~bits, __ATOMIC_SEQ_CST);
}

/* Tests leave at the n-th point by themselves. */
static bool counted_down(void)
{
	MIG_CTL->points++;
	return MIG_CTL->points == MIG_CTL->countdown;
}

NATIVE_CALLS void __mig_poll_slow(void)
{
	uint32_t pending = MIG_CTL->pending;
	thread_check_stack();
	if (pending & MIG_PEND_STOP) {
		done_with(MIG_PEND_STOP);
		signal_raise(15); /* SIGTERM; returns if the program handles it */
	}
	/* Whoever waits looks at the input ring itself, and there is nobody to preempt for. */
	if (pending & (MIG_PEND_INPUT | MIG_PEND_PREEMPT))
		done_with(MIG_PEND_INPUT | MIG_PEND_PREEMPT);
	bool leave = pending & MIG_PEND_MIGRATE;
	if (pending & MIG_PEND_COUNT)
		leave |= counted_down();
	if (leave)
		__mig_leave();
}

void wait_until(uint64_t deadline)
{
	uint64_t before = clock_mono();
	__mig_ring(MIG_OP_WAIT, deadline, 0, 0, 0);
	clock_idle(clock_mono() - before);
	if (MIG_CTL->pending)
		__mig_poll_slow();
}
