/* Cancellation. A thread acts on it before and behind a system call that is a cancellation point,
   and with asynchronous cancellation at any migration point. Between the look before and the
   call itself no other thread runs, so nothing needs to know how far the call has come; one that
   waits is interrupted by the signal. */
#define _GNU_SOURCE
#include <string.h>
#include "pthread_impl.h"
#include "syscall.h"

hidden long __cancel()
{
	pthread_t self = __pthread_self();
	if (self->canceldisable == PTHREAD_CANCEL_ENABLE || self->cancelasync)
		pthread_exit(PTHREAD_CANCELED);
	self->canceldisable = PTHREAD_CANCEL_DISABLE;
	return -ECANCELED;
}

long __mig_cancelled()
{
	pthread_t self = __pthread_self();
	if (!self->cancel || self->canceldisable == PTHREAD_CANCEL_DISABLE)
		return 0;
	return __cancel();
}

static void cancel_handler(int sig, siginfo_t *si, void *ctx)
{
	pthread_t self = __pthread_self();
	if (self->cancel && self->cancelasync && self->canceldisable != PTHREAD_CANCEL_DISABLE)
		pthread_exit(PTHREAD_CANCELED);
}

void __testcancel()
{
	pthread_t self = __pthread_self();
	if (self->cancel && !self->canceldisable)
		__cancel();
}

static void init_cancellation()
{
	/* Without SA_RESTART: what waits is to look. */
	struct sigaction sa = {
		.sa_flags = SA_SIGINFO,
		.sa_sigaction = cancel_handler
	};
	memset(&sa.sa_mask, -1, _NSIG/8);
	__libc_sigaction(SIGCANCEL, &sa, 0);
}

int pthread_cancel(pthread_t t)
{
	static int init;
	if (!init) {
		init_cancellation();
		init = 1;
	}
	a_store(&t->cancel, 1);
	if (t == pthread_self()) {
		if (t->canceldisable == PTHREAD_CANCEL_ENABLE && t->cancelasync)
			pthread_exit(PTHREAD_CANCELED);
		return 0;
	}
	return pthread_kill(t, SIGCANCEL);
}
