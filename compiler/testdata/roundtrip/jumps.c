#include "roundtrip.h"

typedef struct {
	unsigned long words[32];
} __attribute__((aligned(16))) jmp_buf[1];
int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);

static jmp_buf outer;
static int depth_of_throw;

static void dig(int n, int *trace)
{
	int mine = n * n;
	POINT();
	if (n == 0) {
		POINT();
		longjmp(outer, depth_of_throw);
	}
	dig(n - 1, &mine);
	*trace += mine;
}

/* Jumps to one buffer again and again. */
static long again(int times)
{
	volatile int tries = 0;
	long sum = 5;
	int r = setjmp(outer);
	POINT();
	sum += r;
	if (tries < times) {
		tries++;
		depth_of_throw = tries * 10;
		int trace = 0;
		dig(tries, &trace);
		out(-1);
	}
	return sum * 100 + tries;
}

/* Two setjmps, the inner in a loop, VLAs around them, locals that stay as they were. */
static long nested(int n, double factor)
{
	jmp_buf inner;
	long kept = n * 3;
	int before[n];
	for (int i = 0; i < n; i++)
		before[i] = i * n;
	volatile long sum = 0;
	if (setjmp(outer) == 0) {
		for (volatile int i = 0; i < n; i++) {
			int r = setjmp(inner);
			POINT();
			if (r == 0) {
				int array[i + 1];
				for (int j = 0; j <= i; j++)
					array[j] = j + n;
				POINT();
				sum += array[i];
				if (i & 1)
					longjmp(inner, i);
			} else {
				POINT();
				sum += 1000 * r;
			}
		}
		depth_of_throw = 0;
		int trace = 0;
		dig(3, &trace);
	}
	POINT();
	out_double(factor * kept);
	return sum + before[n - 1];
}

static int handled(int n);

static void fail(int n)
{
	POINT();
	if (n > 0)
		out(handled(n - 1));
	longjmp(outer, n + 40);
}

/* Frames that each have a setjmp, and save and restore the outer one's, as Lua does. */
static int handled(int n)
{
	jmp_buf saved;
	for (int i = 0; i < 32; i++)
		saved->words[i] = outer->words[i];
	int r = setjmp(outer);
	if (r == 0)
		fail(n);
	POINT();
	for (int i = 0; i < 32; i++)
		outer->words[i] = saved->words[i];
	return r * 2 + n;
}

int program(void)
{
	out(again(5));
	out(nested(6, 1.25));
	out(handled(6));
	return 2;
}
