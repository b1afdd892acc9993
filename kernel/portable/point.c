/* Migration points: what a thread does when it finds pending != 0, and how it waits. */
#include "thread.h"

static bool preempt; /* the running thread has had its time slice */

static void done_with(uint32_t bits)
{
	__atomic_fetch_and(&MIG_CTL->pending, ~bits, __ATOMIC_SEQ_CST);
}

const char any_file, console_input;

void wake_waiters(const void *file)
{
	for (int i = 0; i < threads_end(); i++) {
		struct thread *t = thread_at(i);
		if (t && (t->awaits == file || t->awaits == &any_file))
			thread_wake(t);
	}
}

void take_pending(void)
{
	uint32_t pending = MIG_CTL->pending;
	if (pending & MIG_PEND_STOP) {
		done_with(MIG_PEND_STOP);
		signal_to_process(&(siginfo_t){.si_signo = SIGTERM, .si_code = SI_USER});
	}
	if (pending & MIG_PEND_INPUT) {
		done_with(MIG_PEND_INPUT);
		wake_waiters(&console_input);
	}
	if (pending & MIG_PEND_ALARM) {
		done_with(MIG_PEND_ALARM);
		alarm_rang();
		preempt = true;
	}
	if (pending & MIG_PEND_MIGRATE)
		leave_all();
}

#define COUNTED_SLICE 150 /* migration points */

/* Tests leave at the n-th point by themselves, and their time slices are counted too: so a run
   can be repeated. */
static void count(void)
{
	static uint64_t turns;
	MIG_CTL->points++;
	if (MIG_CTL->points == MIG_CTL->countdown)
		leave_all();
	if (++turns % COUNTED_SLICE == 0)
		preempt = true;
}

NATIVE_CALLS void __mig_poll_slow(void)
{
	thread_check_stack();
	take_pending();
	if (MIG_CTL->pending & MIG_PEND_COUNT)
		count();
	if (leaving())
		__mig_leave();
	if (preempt) {
		preempt = false;
		if (thread_others_ready())
			thread_yield();
		else
			alarm_set();
	}
	signal_deliver();
}

static void leave(void)
{
	uint32_t pending = MIG_CTL->pending;
	thread_check_stack();
	if (pending & MIG_PEND_MIGRATE)
		leave_all();
	if (pending & MIG_PEND_COUNT)
		count();
	if (leaving())
		__mig_leave();
}

void leave_point(void)
{
	__mig_poll_gap();
	if (MIG_CTL->pending & (MIG_PEND_MIGRATE | MIG_PEND_COUNT))
		leave();
}

void migration_point(void)
{
	__mig_poll_gap();
	if (MIG_CTL->pending || signal_waits())
		__mig_poll_slow();
}

void wait_until(uint64_t deadline)
{
	if (!signal_waits())
		thread_block(deadline);
	migration_point();
}

void wait_for(const void *file, uint64_t deadline)
{
	thread_current()->awaits = file;
	if (!signal_waits())
		thread_block(deadline);
	thread_current()->awaits = NULL; /* before a handler, which need not come back */
	migration_point();
}
