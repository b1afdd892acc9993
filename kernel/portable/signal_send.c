/* Sending signals. There is one process, number 1. */
#include "thread.h"

#define THE_PROCESS 1

static siginfo_t sent(int sig, int code)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = code;
	info.si_pid = THE_PROCESS;
	return info;
}

void signal_self(int sig)
{
	siginfo_t info = sent(sig, SI_USER);
	signal_to_thread(thread_current(), &info);
}

SYSCALL2(kill, int, pid, int, sig)
{
	if (sig < 0 || sig > SIGNALS)
		return -EINVAL;
	if (pid != THE_PROCESS && pid != 0 && pid != -1)
		return -ESRCH;
	if (sig) {
		siginfo_t info = sent(sig, SI_USER);
		signal_to_process(&info);
		signal_deliver();
	}
	return 0;
}

static long send(struct thread *t, int sig)
{
	if (sig < 0 || sig > SIGNALS)
		return -EINVAL;
	if (!t)
		return -ESRCH;
	if (sig) {
		siginfo_t info = sent(sig, SI_TKILL);
		signal_to_thread(t, &info);
		signal_deliver();
	}
	return 0;
}

SYSCALL2(tkill, int, tid, int, sig)
{
	return send(thread_by_id(tid), sig);
}

SYSCALL3(tgkill, int, pid, int, tid, int, sig)
{
	return send(pid == THE_PROCESS ? thread_by_id(tid) : NULL, sig);
}

/* The information is the caller's, but may not pretend to come from the kernel. */
static long check_info(int sig, const siginfo_t *given, siginfo_t *info)
{
	CHECK_POINTER(given);
	if (sig < 0 || sig > SIGNALS)
		return -EINVAL;
	if (given->si_code >= 0 || given->si_code == SI_TKILL)
		return -EPERM;
	*info = *given;
	info->si_signo = sig;
	return 0;
}

SYSCALL3(rt_sigqueueinfo, int, pid, int, sig, const siginfo_t *, given)
{
	siginfo_t info;
	long error = check_info(sig, given, &info);
	if (error)
		return error;
	if (pid != THE_PROCESS)
		return -ESRCH;
	if (sig && !signal_to_process(&info))
		return -EAGAIN;
	signal_deliver();
	return 0;
}

SYSCALL4(rt_tgsigqueueinfo, int, pid, int, tid, int, sig, const siginfo_t *, given)
{
	siginfo_t info;
	long error = check_info(sig, given, &info);
	struct thread *t = thread_by_id(tid);
	if (error)
		return error;
	if (pid != THE_PROCESS || !t)
		return -ESRCH;
	if (sig && !signal_to_thread(t, &info))
		return -EAGAIN;
	signal_deliver();
	return 0;
}
