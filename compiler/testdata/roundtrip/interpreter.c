/* A small interpreter twice, with a switch and with a computed goto. */
#include "roundtrip.h"

enum op { PUSH, ADD, SUB, MUL, DUP, SWAP, JNZ, DROP, OUT, CALL, RET, HALT };

static const signed char code[] = {
	PUSH, 30,                      /* n */
	DUP, CALL, 18,                 /* 2: ..., n, f(n) */
	SWAP, PUSH, 1, SUB,            /* 5: ..., f(n), n - 1 */
	DUP, JNZ, 2, DROP, ADD, OUT, HALT, 0, 0,
	DUP, MUL, OUT, RET,            /* 18: f(n) = n * n */
};

static long with_switch(const signed char *pc)
{
	long stack[100], *sp = stack;
	const signed char *back[4];
	int depth = 0;
	for (;;) {
		switch (*pc++) {
		case PUSH: *sp++ = *pc++; break;
		case ADD: sp--; sp[-1] += *sp; break;
		case SUB: sp--; sp[-1] -= *sp; break;
		case MUL: sp--; sp[-1] *= *sp; break;
		case DUP: *sp = sp[-1]; sp++; break;
		case SWAP: { long t = sp[-1]; sp[-1] = sp[-2]; sp[-2] = t; break; }
		case JNZ: pc = *--sp ? code + *pc : pc + 1; break;
		case DROP: sp--; break;
		case OUT: out(sp[-1]); break;
		case CALL: back[depth++] = pc + 1; pc = code + *pc; break;
		case RET: pc = back[--depth]; break;
		case HALT: return sp - stack;
		default: out(-*pc); return -1;
		}
	}
}

static long with_goto(const signed char *pc)
{
	static const void *const labels[] = {
		&&push, &&add, &&sub, &&mul, &&dup, &&swap, &&jnz, &&drop, &&print, &&call, &&ret, &&halt,
	};
	long stack[100], *sp = stack;
	const signed char *back[4];
	int depth = 0;
#define NEXT goto *labels[*pc++]
	NEXT;
push:	*sp++ = *pc++; NEXT;
add:	sp--; sp[-1] += *sp; NEXT;
sub:	sp--; sp[-1] -= *sp; NEXT;
mul:	sp--; sp[-1] *= *sp; NEXT;
dup:	*sp = sp[-1]; sp++; NEXT;
swap:	{ long t = sp[-1]; sp[-1] = sp[-2]; sp[-2] = t; } NEXT;
jnz:	pc = *--sp ? code + *pc : pc + 1; NEXT;
drop:	sp--; NEXT;
print:	out(sp[-1]); NEXT;
call:	back[depth++] = pc + 1; pc = code + *pc; NEXT;
ret:	pc = back[--depth]; NEXT;
halt:	return sp - stack;
}

static const signed char *volatile start = code;

int program(void)
{
	out(with_switch(start));
	out(with_goto(start));
	return 4;
}
