/* A bytecode interpreter with computed goto. */
// exit: 55
#include <stdio.h>

enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JNZ, CALL, RET, PRINT, HALT };

static int run(const int *code)
{
	static const void *const labels[] = {
		&&push, &&add, &&sub, &&mul, &&dup, &&swap, &&jnz, &&call, &&ret, &&print, &&halt,
	};
	int stack[64], back[16], sp = 0, bp = 0, pc = 0, t;
#define NEXT goto *labels[code[pc++]]
	NEXT;
push:
	stack[sp++] = code[pc++];
	NEXT;
add:
	sp--, stack[sp - 1] += stack[sp];
	NEXT;
sub:
	sp--, stack[sp - 1] -= stack[sp];
	NEXT;
mul:
	sp--, stack[sp - 1] *= stack[sp];
	NEXT;
dup:
	stack[sp] = stack[sp - 1], sp++;
	NEXT;
swap:
	t = stack[sp - 1], stack[sp - 1] = stack[sp - 2], stack[sp - 2] = t;
	NEXT;
jnz:
	pc = stack[--sp] ? code[pc] : pc + 1;
	NEXT;
call:
	back[bp++] = pc + 1, pc = code[pc];
	NEXT;
ret:
	pc = back[--bp];
	NEXT;
print:
	printf("%d\n", stack[sp - 1]);
	NEXT;
halt:
	return stack[sp - 1];
}

int main(void)
{
	static const int square[] = {PUSH, 12, CALL, 6, PRINT, HALT, DUP, MUL, RET};
	static const int count[] = {PUSH, 40, PRINT, PUSH, 1, SUB, DUP, JNZ, 2, PUSH, 55, ADD, HALT};
	printf("square %d\n", run(square));
	return run(count);
}
