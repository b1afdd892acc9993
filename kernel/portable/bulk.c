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

typedef uint64_t word __attribute__((may_alias));
#define ONES (~0ull / 255)

/* The index of c in n bytes; n if it is not there. Words are aligned: none reaches into memory
   that a byte of it is not in. */
static inline uint64_t find(const unsigned char *s, unsigned char c, uint64_t n)
{
	uint64_t at = 0;
	for (; at < n && (uintptr_t)(s + at) % sizeof(word); at++)
		if (s[at] == c)
			return at;
	for (; n - at >= sizeof(word); at += sizeof(word)) {
		uint64_t w = *(const word *)(s + at) ^ ONES * c;
		if ((w - ONES) & ~w & ONES << 7) /* has a zero */
			break;
	}
	while (at < n && s[at] != c)
		at++;
	return at;
}

NATIVE_CALLS void *__mig_bulk_find(const void *p, int c, uint64_t n)
{
	const unsigned char *s = p;
	for (; n > PART; n -= PART, s += PART) {
		uint64_t at = find(s, c, PART);
		if (at < PART)
			return (void *)(s + at);
		pause_to_leave();
	}
	uint64_t at = find(s, c, n);
	return at < n ? (void *)(s + at) : NULL;
}

/* Of a string, up to PART: it may go on then. */
NATIVE_CALLS __attribute__((noinline)) uint64_t __mig_bulk_first_length(const char *s)
{
	return find((const unsigned char *)s, 0, PART);
}

NATIVE_CALLS uint64_t __mig_bulk_length(const char *s)
{
	for (uint64_t n = 0;; n += PART) {
		uint64_t more = __mig_bulk_first_length(s + n);
		if (more < PART)
			return n + more;
		pause_to_leave();
	}
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
