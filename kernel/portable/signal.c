/* What signals do. A thread runs handlers as ordinary calls, at its migration points and behind
   the system calls that send or unblock a signal; there is no other moment. */
#define _GNU_SOURCE
#include <ucontext.h>

#include "thread.h"

/* struct sigaction as Linux has it; what libc passes. */
struct k_sigaction {
	union {
		void (*handler)(int);
		void (*info_handler)(int, siginfo_t *, void *); /* SA_SIGINFO */
	};
	unsigned long flags;
	void (*restorer)(void);
	uint32_t mask[2];
};

static struct k_sigaction actions[SIGNALS];
static struct signal_queue process; /* for any thread that does not block them */

#define CANNOT_CHANGE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

static uint64_t mask_of(const struct k_sigaction *a)
{
	return (uint64_t)a->mask[1] << 32 | a->mask[0];
}

void signal_mask(uint64_t mask)
{
	thread_current()->blocked = mask & ~CANNOT_CHANGE;
}

/* signal(7): without a handler these do nothing. Job control has no meaning here. */
static bool ignored_by_default(int sig)
{
	switch (sig) {
	case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
		return true;
	}
	return false;
}

static bool is_ignored(int sig)
{
	void (*handler)(int) = actions[sig - 1].handler;
	return handler == SIG_IGN || (handler == SIG_DFL && ignored_by_default(sig));
}

/* signal(7): what happens without a handler. */
static void default_action(int sig)
{
	switch (sig) {
	case SIGABRT: case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL:
	case SIGQUIT: case SIGTRAP: case SIGSYS: case SIGXCPU: case SIGXFSZ:
		panic_killed(sig);
	default:
		if (!ignored_by_default(sig))
			process_exit(128 + sig, sig);
	}
}

/* Calls a handler. Of its own and of what it calls, all variables with an address are on the signal
   stack then; machine frames are not. */
static void call(const struct k_sigaction *a, siginfo_t *info, ucontext_t *context)
{
	struct thread *t = thread_current();
	char *stack = __mig_ssp;
	if ((a->flags & SA_ONSTACK) && t->signal_stack.ss_sp && !thread_on_signal_stack(t, stack))
		__mig_ssp = thread_signal_stack_end(t);
	__mig_ssp_limit = thread_stack_limit(t, __mig_ssp);
	if (a->flags & SA_SIGINFO)
		a->info_handler(info->si_signo, info, context);
	else
		a->handler(info->si_signo);
	__mig_ssp = stack;
	__mig_ssp_limit = thread_stack_limit(t, stack);
}

static void run_handler(siginfo_t *info)
{
	struct thread *t = thread_current();
	int sig = info->si_signo;
	struct k_sigaction *action = &actions[sig - 1], a = *action;
	uint64_t mask = t->blocked;
	if (a.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	signal_mask(mask | mask_of(&a) | (a.flags & SA_NODEFER ? 0 : signal_bit(sig)));
	t->handled++;
	if (!(a.flags & SA_RESTART))
		t->interrupted++;
	/* Of the context there is the mask alone, which the handler may change. */
	ucontext_t context;
	memset(&context, 0, sizeof context);
	memcpy(&context.uc_sigmask, &mask, sizeof mask);
	call(&a, info, &context);
	memcpy(&mask, &context.uc_sigmask, sizeof mask);
	signal_mask(mask);
}

/* The next signal that the running thread does not block. Its own come first. */
static bool take(siginfo_t *info)
{
	struct thread *t = thread_current();
	return signal_queue_take(&t->signals, ~t->blocked, info) ||
	       signal_queue_take(&process, ~t->blocked, info);
}

void signal_deliver(void)
{
	siginfo_t info;
	while (take(&info)) {
		void (*handler)(int) = actions[info.si_signo - 1].handler;
		if (handler == SIG_DFL)
			default_action(info.si_signo);
		else if (handler != SIG_IGN)
			run_handler(&info);
	}
}

bool signal_waits(void)
{
	const struct thread *t = thread_current();
	return (t->signals.pending | process.pending) & ~t->blocked;
}

bool signal_timer_pending(int id)
{
	if (signal_queue_has_timer(&process, id))
		return true;
	for (int i = 0; i < threads_end(); i++)
		if (thread_at(i) && signal_queue_has_timer(&thread_at(i)->signals, id))
			return true;
	return false;
}

uint64_t signal_pending(void)
{
	return thread_current()->signals.pending | process.pending;
}

bool signal_take(uint64_t mask, siginfo_t *info)
{
	return signal_queue_take(&thread_current()->signals, mask, info) ||
	       signal_queue_take(&process, mask, info);
}

static bool would_take(const struct thread *t, int sig)
{
	return !(t->blocked & signal_bit(sig)) || (t->awaited & signal_bit(sig));
}

bool signal_to_thread(struct thread *t, const siginfo_t *info)
{
	int sig = info->si_signo;
	if (is_ignored(sig) && !(t->blocked & signal_bit(sig)))
		return true;
	bool kept = signal_queue_add(&t->signals, info);
	if (would_take(t, sig))
		thread_wake(t);
	return kept;
}

/* Somebody who does not block the signal, rather whoever runs; NULL: all do. */
static struct thread *taker(int sig)
{
	struct thread *t = thread_current();
	if (t && would_take(t, sig))
		return t;
	for (int i = 0; i < threads_end(); i++)
		if (thread_at(i) && would_take(thread_at(i), sig))
			return thread_at(i);
	return NULL;
}

bool signal_to_process(const siginfo_t *info)
{
	int sig = info->si_signo;
	struct thread *t = taker(sig);
	if (t && is_ignored(sig) && !(t->blocked & signal_bit(sig)))
		return true;
	bool kept = signal_queue_add(&process, info);
	if (t)
		thread_wake(t);
	return kept;
}

static void drop_everywhere(uint64_t mask)
{
	signal_queue_drop(&process, mask);
	for (int i = 0; i < threads_end(); i++)
		if (thread_at(i))
			signal_queue_drop(&thread_at(i)->signals, mask);
}

SYSCALL2(sigaltstack, const stack_t *, set, stack_t *, old)
{
	struct thread *t = thread_current();
	bool used = thread_on_signal_stack(t, __mig_ssp);
	stack_t before = t->signal_stack;
	before.ss_flags = !before.ss_sp ? SS_DISABLE : used ? SS_ONSTACK : 0;
	if (set) {
		if (used)
			return -EPERM;
		if (set->ss_flags & ~(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		if (!(set->ss_flags & SS_DISABLE) && set->ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		t->signal_stack = set->ss_flags & SS_DISABLE ? (stack_t){0} : *set;
	}
	if (old)
		*old = before;
	return 0;
}

SYSCALL4(rt_sigaction, int, sig, const struct k_sigaction *, set, struct k_sigaction *, old,
	 size_t, size)
{
	if (sig < 1 || sig > SIGNALS || size != sizeof(uint64_t))
		return -EINVAL;
	if (set && (CANNOT_CHANGE & signal_bit(sig)))
		return -EINVAL;
	struct k_sigaction before = actions[sig - 1];
	if (set) {
		actions[sig - 1] = *set;
		if (is_ignored(sig))
			drop_everywhere(signal_bit(sig));
	}
	if (old)
		*old = before;
	return 0;
}

SYSCALL4(rt_sigprocmask, int, how, const uint64_t *, set, uint64_t *, old, size_t, size)
{
	if (size != sizeof(uint64_t))
		return -EINVAL;
	uint64_t before = thread_current()->blocked;
	if (set) {
		switch (how) {
		case SIG_BLOCK: signal_mask(before | *set); break;
		case SIG_UNBLOCK: signal_mask(before & ~*set); break;
		case SIG_SETMASK: signal_mask(*set); break;
		default: return -EINVAL;
		}
	}
	if (old)
		*old = before;
	signal_deliver();
	return 0;
}
