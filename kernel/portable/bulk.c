/* Long operations on memory, in parts with a migration point behind each: those of the program
   (compiler/bulk.cpp), and the kernel's. */
#include "kernel.h"

static void pause_to_leave(void)
{
	__mig_poll_gap();
	if (MIG_CTL->pending)
		__mig_poll_slow();
}

static void move_up(char *to, const char *from, uint64_t n)
{
	for (; n > PART; n -= PART, to += PART, from += PART) {
		memmove(to, from, PART);
		pause_to_leave();
	}
	memmove(to, from, n);
}

static void move_down(char *to, const char *from, uint64_t n)
{
	for (; n > PART; n -= PART) {
		memmove(to + n - PART, from + n - PART, PART);
		pause_to_leave();
	}
	memmove(to, from, n);
}

NATIVE_CALLS void __mig_bulk_copy(void *to, const void *from, uint64_t n)
{
	move_up(to, from, n);
}

NATIVE_CALLS void __mig_bulk_move(void *to, const void *from, uint64_t n)
{
	if ((uintptr_t)to - (uintptr_t)from >= n)
		move_up(to, from, n);
	else
		move_down(to, from, n);
}

NATIVE_CALLS void __mig_bulk_fill(void *to, int c, uint64_t n)
{
	char *at = to;
	for (; n > PART; n -= PART, at += PART) {
		memset(at, c, PART);
		pause_to_leave();
	}
	memset(at, c, n);
}

NATIVE_CALLS int __mig_bulk_compare(const void *a, const void *b, uint64_t n)
{
	const char *x = a, *y = b;
	for (; n > PART; n -= PART, x += PART, y += PART) {
		int order = memcmp(x, y, PART);
		if (order)
			return order;
		pause_to_leave();
	}
	return memcmp(x, y, n);
}

void copy_leaving(void *to, const void *from, size_t n)
{
	char *at = to;
	const char *of = from;
	for (; n > PART; n -= PART, at += PART, of += PART) {
		memcpy(at, of, PART);
		leave_point();
	}
	memcpy(at, of, n);
}

void clear_leaving(void *at, size_t n)
{
	char *p = at;
	for (; n > PART; n -= PART, p += PART) {
		memset(p, 0, PART);
		leave_point();
	}
	memset(p, 0, n);
}
