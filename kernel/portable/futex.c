/* futex(2): waiting for another thread to change a word. Whoever waits is in a list by the
   word's address, in the order in which they came. */
#include "thread.h"

enum {
	WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9, WAKE_BITSET = 10,
	PRIVATE = 128, CLOCK_REAL = 256,
};
#define ANY UINT32_MAX /* FUTEX_BITSET_MATCH_ANY */

#define LISTS 64
static struct thread *waiters[LISTS];

static struct thread **list_of(volatile int *word)
{
	return &waiters[(uintptr_t)word / sizeof *word * 0x9e3779b97f4a7c15 >> 58];
}
_Static_assert(LISTS == 1 << (64 - 58), "the hash has as many values");

static void put(struct thread *t, volatile int *word)
{
	struct thread **at = list_of(word);
	while (*at)
		at = &(*at)->futex_next;
	*at = t;
	t->futex = word;
	t->futex_next = NULL;
}

static void take_out(struct thread *t)
{
	struct thread **at = list_of(t->futex);
	while (*at != t)
		at = &(*at)->futex_next;
	*at = t->futex_next;
	t->futex = NULL;
}

/* The first that waits there, for one of bits. */
static struct thread *first_waiter(volatile int *word, uint32_t bits)
{
	struct thread *t = *list_of(word);
	while (t && (t->futex != word || !(t->futex_bits & bits)))
		t = t->futex_next;
	return t;
}

int futex_wake(volatile int *word, int count, uint32_t bits)
{
	struct thread *t;
	int woken = 0;
	for (; woken < count && (t = first_waiter(word, bits)); woken++) {
		take_out(t);
		thread_wake(t);
	}
	return woken;
}

/* Returns how many were woken or now wait at to. */
static int requeue(volatile int *word, int wake, int move, volatile int *to)
{
	struct thread *t;
	int woken = futex_wake(word, wake, ANY), moved = 0;
	if (word == to)
		return woken;
	for (; moved < move && (t = first_waiter(word, ANY)); moved++) {
		take_out(t);
		put(t, to);
	}
	return woken + moved;
}

static long wait(volatile int *word, int value, uint64_t deadline, uint32_t bits)
{
	struct thread *t = thread_current();
	/* As on Linux, SA_RESTART is for waits without a timeout. */
	uint64_t *ends = deadline == FOREVER ? &t->interrupted : &t->handled, before = *ends;
	for (;;) {
		if (*word != value)
			return -EAGAIN;
		t->futex_bits = bits;
		put(t, word);
		if (!signal_waits())
			thread_block(deadline);
		bool woken = !t->futex;
		if (!woken)
			take_out(t);
		migration_point();
		if (woken)
			return 0;
		if (*ends != before)
			return -EINTR;
		if (deadline != FOREVER && clock_mono() >= deadline)
			return -ETIMEDOUT;
	}
}

/* The monotonic time at which a wait ends. WAIT's timeout is relative. */
static int deadline_of(int op, const struct timespec *timeout, uint64_t *deadline)
{
	*deadline = FOREVER;
	if (!timeout)
		return 0;
	if (!timespec_valid(timeout))
		return -EINVAL;
	uint64_t ns = timespec_ns(timeout);
	if ((op & ~(PRIVATE | CLOCK_REAL)) == WAIT_BITSET) {
		uint64_t now = op & CLOCK_REAL ? clock_real() : clock_mono();
		ns = ns > now ? ns - now : 0;
	}
	*deadline = clock_after(ns);
	return 0;
}

SYSCALL6(futex, volatile int *, word, int, op, int, value, const struct timespec *, timeout,
	 volatile int *, to, uint32_t, value3)
{
	uint64_t deadline;
	CHECK_POINTER(word);
	switch (op & ~(PRIVATE | CLOCK_REAL)) {
	case WAIT:
		value3 = ANY;
		/* fallthrough */
	case WAIT_BITSET:
		if (value3 == 0 || deadline_of(op, timeout, &deadline) < 0)
			return -EINVAL;
		return wait(word, value, deadline, value3);
	case WAKE:
		return futex_wake(word, value, ANY);
	case WAKE_BITSET:
		return value3 ? futex_wake(word, value, value3) : -EINVAL;
	case CMP_REQUEUE:
		if (*word != (int)value3)
			return -EAGAIN;
		/* fallthrough */
	case REQUEUE: /* the fourth argument is a number here */
		CHECK_POINTER(to);
		return requeue(word, value, (int)(uintptr_t)timeout, to);
	}
	return -ENOSYS;
}
