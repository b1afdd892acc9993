/* Signals that the program sends itself, and SIGTERM from the host at a migration point.
   Handlers run as ordinary calls, where a signal becomes both pending and unblocked; there
   is no other moment. */
#include <signal.h>

#include "kernel.h"

#define SIGNALS 64 /* numbered from 1 */

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
static uint64_t blocked, pending; /* bit sig-1 */
static uint64_t handled;

#define CANNOT_CHANGE ((1ull << (SIGKILL - 1)) | (1ull << (SIGSTOP - 1)))

uint64_t signal_handled(void)
{
	return handled;
}

static uint64_t mask_of(const struct k_sigaction *a)
{
	return (uint64_t)a->mask[1] << 32 | a->mask[0];
}

/* signal(7): what happens without a handler. Job control has no meaning here. */
static void default_action(int sig)
{
	switch (sig) {
	case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
		return;
	case SIGABRT: case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL:
	case SIGQUIT: case SIGTRAP: case SIGSYS: case SIGXCPU: case SIGXFSZ:
		panic_killed(sig);
	default:
		process_exit(128 + sig, sig);
	}
}

static void run_handler(int sig)
{
	struct k_sigaction *action = &actions[sig - 1], a = *action;
	uint64_t mask = blocked;
	if (a.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	blocked |= mask_of(&a);
	if (!(a.flags & SA_NODEFER))
		blocked |= 1ull << (sig - 1);
	blocked &= ~CANNOT_CHANGE;
	handled++;
	if (a.flags & SA_SIGINFO) {
		siginfo_t info;
		memset(&info, 0, sizeof info);
		info.si_signo = sig;
		info.si_code = SI_TKILL;
		a.info_handler(sig, &info, NULL);
	} else {
		a.handler(sig);
	}
	blocked = mask;
}

static void deliver(void)
{
	uint64_t now;
	while ((now = pending & ~blocked)) {
		int sig = __builtin_ctzll(now) + 1;
		pending &= ~(1ull << (sig - 1));
		void (*handler)(int) = actions[sig - 1].handler;
		if (handler == SIG_DFL)
			default_action(sig);
		else if (handler != SIG_IGN)
			run_handler(sig);
	}
}

void signal_raise(int sig)
{
	pending |= 1ull << (sig - 1);
	deliver();
}

static long send(int sig)
{
	if (sig < 0 || sig > SIGNALS)
		return -EINVAL;
	if (sig)
		signal_raise(sig);
	return 0;
}

/* One process, number 1, with one thread of the same number. */
SYSCALL2(kill, int, pid, int, sig)
{
	return pid == 1 || pid == 0 || pid == -1 ? send(sig) : -ESRCH;
}

SYSCALL2(tkill, int, tid, int, sig)
{
	return tid == 1 ? send(sig) : -ESRCH;
}

SYSCALL3(tgkill, int, pid, int, tid, int, sig)
{
	return pid == 1 && tid == 1 ? send(sig) : -ESRCH;
}

SYSCALL4(rt_sigaction, int, sig, const struct k_sigaction *, set, struct k_sigaction *, old,
	 size_t, size)
{
	if (sig < 1 || sig > SIGNALS || size != sizeof(uint64_t))
		return -EINVAL;
	if (set && (CANNOT_CHANGE >> (sig - 1) & 1))
		return -EINVAL;
	struct k_sigaction before = actions[sig - 1];
	if (set)
		actions[sig - 1] = *set;
	if (old)
		*old = before;
	return 0;
}

SYSCALL4(rt_sigprocmask, int, how, const uint64_t *, set, uint64_t *, old, size_t, size)
{
	if (size != sizeof(uint64_t))
		return -EINVAL;
	uint64_t before = blocked;
	if (set) {
		switch (how) {
		case SIG_BLOCK: blocked |= *set; break;
		case SIG_UNBLOCK: blocked &= ~*set; break;
		case SIG_SETMASK: blocked = *set; break;
		default: return -EINVAL;
		}
		blocked &= ~CANNOT_CHANGE;
	}
	if (old)
		*old = before;
	deliver();
	return 0;
}

SYSCALL2(rt_sigpending, uint64_t *, set, size_t, size)
{
	CHECK_POINTER(set);
	if (size != sizeof(uint64_t))
		return -EINVAL;
	*set = pending & blocked;
	return 0;
}
