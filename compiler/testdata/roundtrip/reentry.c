/* An interpreter with enough operations to be taken for one, whose functions are a loop around
   its dispatch. What lives there is defined before it, by the outer loop, and by the dispatch's. */
#include "roundtrip.h"

struct function {
	unsigned char code[16];
	double constant[4];
};

#define FUNCTIONS 3
static struct function functions[FUNCTIONS] = {
	{{33, 1, 38, 9, 37, 33, 2, 38, 9, 37, 34, 0, 35}, {1.5, 2.25, -3}},
	{{10, 20, 33, 2, 31, 38, 17, 25, 5, 37, 35}, {0.5, 7, 11}},
	{{4, 8, 12, 16, 36, 2, 22, 26, 30, 29, 3, 35}, {-0.25, 0.125, 64}},
};

struct frame {
	const struct function *function;
	const unsigned char *pc;
	double sum;
};

/* Moves on to where the dispatch may not be optimised away. */
static __attribute__((noinline)) void step(double *sum, int n)
{
	*sum += n & 3;
	out((long)*sum);
}

#define PLAIN(n) case n: sum = sum * ((n) % 5 + 1) / 4 + k[(n) % 3] * turn; break;

static __attribute__((noinline)) double run(int first, long turn)
{
	struct frame frames[4];
	int depth = 0;
	const struct function *f = &functions[first];
	const unsigned char *pc = f->code;
	double sum = (double)turn, called = 0;
call:;
	const double *k = f->constant;
	double kept = k[0] + called;
	for (;;) {
		int op = *pc++;
		switch (op) {
		PLAIN(0) PLAIN(1) PLAIN(2) PLAIN(3) PLAIN(4) PLAIN(5) PLAIN(6) PLAIN(7)
		PLAIN(8) PLAIN(9) PLAIN(10) PLAIN(11) PLAIN(12) PLAIN(13) PLAIN(14) PLAIN(15)
		PLAIN(16) PLAIN(17) PLAIN(18) PLAIN(19) PLAIN(20) PLAIN(21) PLAIN(22) PLAIN(23)
		PLAIN(24) PLAIN(25) PLAIN(26) PLAIN(27) PLAIN(28) PLAIN(29) PLAIN(30) PLAIN(31)
		case 32: step(&sum, op); sum -= kept; break;
		case 33:
			frames[depth++] = (struct frame){f, pc + 1, sum};
			f = &functions[*pc % FUNCTIONS];
			pc = f->code;
			called += 1;
			sum = kept;
			goto call;
		case 34: step(&sum, *pc++); break;
		case 35:
			if (!depth)
				return sum + called;
			depth--;
			f = frames[depth].function;
			pc = frames[depth].pc;
			sum = sum / 2 + frames[depth].sum;
			goto call;
		case 36: sum += kept; break;
		case 37: kept -= sum / 1024; step(&kept, depth); break;
		case 38: sum = -sum; break;
		default: return -1;
		}
	}
}

int program(void)
{
	for (long turn = 0; turn < 6; turn++)
		for (int i = 0; i < FUNCTIONS; i++)
			out((long)(run(i, turn) * 4096));
	return 5;
}
