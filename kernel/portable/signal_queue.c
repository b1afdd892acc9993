/* Signals on their way. A standard signal is pending once or not at all; of a real-time signal
   each instance waits with its information. */
#include "thread.h"

struct signal_info {
	struct signal_info *next;
	siginfo_t info;
};

#define FIRST_REAL_TIME 32 /* as the kernel counts: libc takes some for itself */

bool signal_queue_add(struct signal_queue *q, const siginfo_t *info)
{
	uint64_t bit = signal_bit(info->si_signo);
	if (info->si_signo < FIRST_REAL_TIME && (q->pending & bit))
		return true;
	q->pending |= bit;
	struct signal_info *one = kmem_alloc(sizeof *one);
	if (!one)
		return false;
	one->info = *info;
	struct signal_info **at = &q->first;
	while (*at)
		at = &(*at)->next;
	*at = one;
	return true;
}

static void take_out(struct signal_info **at)
{
	struct signal_info *one = *at;
	*at = one->next;
	kmem_free(one, sizeof *one);
}

static struct signal_info **find(struct signal_info **at, int sig)
{
	while (*at && (*at)->info.si_signo != sig)
		at = &(*at)->next;
	return at;
}

bool signal_queue_has_timer(const struct signal_queue *q, int id)
{
	for (const struct signal_info *one = q->first; one; one = one->next)
		if (one->info.si_code == SI_TIMER && one->info.si_timerid == id)
			return true;
	return false;
}

bool signal_queue_take(struct signal_queue *q, uint64_t mask, siginfo_t *info)
{
	uint64_t now = q->pending & mask;
	if (!now)
		return false;
	int sig = __builtin_ctzll(now) + 1;
	struct signal_info **at = find(&q->first, sig);
	if (*at) {
		*info = (*at)->info;
		take_out(at);
		if (info->si_code == SI_TIMER)
			timer_delivered(info);
		at = find(at, sig);
	} else {
		memset(info, 0, sizeof *info);
		info->si_signo = sig;
	}
	if (!*at)
		q->pending &= ~signal_bit(sig);
	return true;
}

void signal_queue_drop(struct signal_queue *q, uint64_t mask)
{
	q->pending &= ~mask;
	for (struct signal_info **at = &q->first; *at;) {
		if (mask & signal_bit((*at)->info.si_signo))
			take_out(at);
		else
			at = &(*at)->next;
	}
}
