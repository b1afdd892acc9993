/* Waiting for signals: by a handler, or by taking them. */
#include "thread.h"

SYSCALL2(rt_sigpending, uint64_t *, set, size_t, size)
{
	CHECK_POINTER(set);
	if (size != sizeof(uint64_t))
		return -EINVAL;
	*set = signal_pending() & thread_current()->blocked;
	return 0;
}

SYSCALL2(rt_sigsuspend, const uint64_t *, mask, size_t, size)
{
	CHECK_POINTER(mask);
	if (size != sizeof(uint64_t))
		return -EINVAL;
	struct thread *t = thread_current();
	uint64_t before = t->blocked, handled = t->handled;
	signal_mask(*mask);
	do
		wait_until(FOREVER);
	while (t->handled == handled);
	signal_mask(before);
	signal_deliver();
	return -EINTR;
}

SYSCALL4(rt_sigtimedwait, const uint64_t *, set, siginfo_t *, info, const struct timespec *, timeout,
	 size_t, size)
{
	CHECK_POINTER(set);
	if (size != sizeof(uint64_t) || (timeout && !timespec_valid(timeout)))
		return -EINVAL;
	struct thread *t = thread_current();
	uint64_t wanted = *set, handled = t->handled;
	uint64_t deadline = timeout ? clock_after(timespec_ns(timeout)) : FOREVER;
	siginfo_t got;
	while (!signal_take(wanted, &got)) {
		if (deadline != FOREVER && clock_mono() >= deadline)
			return -EAGAIN;
		t->awaited = wanted;
		if (!signal_waits())
			thread_block(deadline);
		t->awaited = 0;
		/* What is waited for is taken even where a handler could have run for it. */
		if (signal_take(wanted, &got))
			break;
		migration_point();
		if (t->handled != handled)
			return -EINTR;
	}
	if (info)
		*info = got;
	return got.si_signo;
}
