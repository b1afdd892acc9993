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

static struct {
	jmp_buf buffer;
	const char *at;
} tries[4];
static int depth;

static void throw_from(int frames)
{
	POINT();
	if (frames == 0) {
		depth--;
		longjmp(tries[depth].buffer, depth + 1);
	}
	throw_from(frames - 1);
	POINT();
}

/* An interpreter whose try statements call setjmp. What it has had since it began, and what a round
   has had since the round began, is as it was, whichever stack a throw comes from. */
static long interpret(const char *code, long scale, double half)
{
	static long sum; /* of this call and those below it */
	long early = scale * 3;
	POINT();
	long late = scale + 7;
	double product = half * late;
	for (int round = 0; round < 3; round++) {
		long of_round = round * late - early;
		for (const char *at = code; *at; at++) {
			switch (*at) {
			case '{':
				tries[depth].at = at;
				if (setjmp(tries[depth++].buffer)) {
					at = tries[depth].at;
					while (*at != '}')
						at++;
					sum += 1000 * of_round + scale;
				}
				break;
			case '}':
				depth--;
				break;
			case '!':
				throw_from(round);
				break;
			case '(':
				if (scale > 1)
					sum += interpret("a{b!}", scale - 1, half + 1) % 977;
				break;
			default:
				POINT();
				sum = (sum * 5 + *at + of_round) % 1000003;
			}
		}
		out(of_round + early + late);
		out_double(product - half);
	}
	return sum + early;
}

int program(void)
{
	out(interpret("x{y!z}x{a(b)c}(d)x{q{r!s}t}v", 3, 0.75));
	out(again(5));
	out(nested(6, 1.25));
	out(handled(6));
	return 2;
}
