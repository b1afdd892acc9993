/* Local variables on the shadow stack, and pointers that are theirs or are not: what is known of
   these must hold in each iteration, each activation, and for frames that come back. */
#include "roundtrip.h"

typedef struct {
	unsigned long words[32];
} __attribute__((aligned(16))) jmp_buf[1];
int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);

#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

/* Two arrays take turns: either pointer is of either, an iteration apart. */
static NOINLINE long turns(int rounds, long *to)
{
	long a[8], b[8], *from = a, *next = b;
	for (int i = 0; i < 8; i++)
		a[i] = i;
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < 8; i++) {
			next[i] = from[(i + 1) & 7] * 3 + r;
			to[i] += from[i];
		}
		POINT();
		long *other = from;
		from = next;
		next = other;
	}
	return a[3] + b[5];
}

static long *kept;

/* What is kept elsewhere comes back through memory. */
static NOINLINE long keeping(long *to, long n)
{
	long mine = n, other = 2 * n;
	kept = &mine;
	POINT();
	long *p = kept; /* mine */
	*to = mine;
	*p += other;
	*to += mine;
	POINT();
	*p += *to;
	return mine - other;
}

/* Each activation has a variable of its own, and writes to the last one's. */
static NOINLINE long deep(int n, long *outer)
{
	long mine[2] = {n, -n};
	*outer += mine[0];
	mine[1] += *outer;
	if (n > 0) {
		POINT();
		*outer += deep(n - 1, &mine[n & 1]);
	}
	*outer ^= mine[0];
	return mine[0] * 5 + mine[1];
}

/* Inlined into loops: its array is another one each time. */
INLINE long once(long *to, int n)
{
	long mine[4];
	for (int i = 0; i < 4; i++)
		mine[i] = to[i] + n;
	POINT();
	for (int i = 0; i < 4; i++)
		to[i] = mine[3 - i] ^ mine[i & n];
	return mine[n & 3];
}

static NOINLINE long many(int n)
{
	long first[4] = {1, 2, 3, 4}, *to = first, sum = 0;
	for (int i = 0; i < n; i++) {
		sum = sum * 7 + once(to, i);
		/* where the array of the last iteration was */
		long *more = __builtin_alloca(4 * sizeof *more);
		for (int k = 0; k < 4; k++)
			more[k] = to[k] + k;
		to = more;
	}
	for (int i = 0; i < n; i++) {
		long more[i + 4];
		for (int k = 0; k < 4; k++)
			more[k] = to[k] - i;
		sum += once(more, i) + more[i & 3];
	}
	return sum + first[2];
}

static NOINLINE void exchange(long *a, long *b)
{
	long c = *a;
	POINT();
	*a = *b;
	*b = c;
}

/* Out of one of several, by a pointer that is chosen. */
static NOINLINE long chosen(int n, long *given)
{
	long a[3] = {n, n + 1, n + 2}, b[3] = {7, 8, 9};
	long sum = 0;
	for (int i = 0; i < n; i++) {
		long *p = i % 3 == 0 ? a : i % 3 == 1 ? b : given;
		p[i % 3] += sum;
		sum += a[i % 3] + b[(i + 1) % 3] - given[i % 3];
		if (i & 1)
			exchange(&a[i % 3], &b[1]);
		__builtin_memcpy(p == given ? a : given, b, sizeof b);
	}
	return sum + a[0] + b[1] + given[2];
}

static jmp_buf back;

static NOINLINE void change(volatile long *p, const long *fixed, int r)
{
	*p += 10 + fixed[r & 1];
	POINT();
	longjmp(back, r + 1);
}

/* Comes back to the same frame. */
static NOINLINE long again(long *to)
{
	volatile int tries = 0;
	volatile long v[2];
	long fixed[2] = {to[0], to[1]};
	v[0] = 1;
	v[1] = 100;
	int r = setjmp(back);
	*to += v[0] + fixed[r & 1];
	tries++;
	if (tries < 4)
		change(&v[tries & 1], fixed, r);
	return v[0] + v[1] + tries * 1000 + r + fixed[1];
}

int program(void)
{
	long to[8] = {0};
	out(turns(5, to));
	for (int i = 0; i < 8; i++)
		out(to[i]);
	out(keeping(to, 11));
	out(keeping(&to[1], 5));
	out(deep(9, to));
	out(many(6));
	long given[3] = {1, 2, 3};
	out(chosen(9, given));
	out(again(to));
	for (int i = 0; i < 8; i++)
		out(to[i]);
	return 4;
}
