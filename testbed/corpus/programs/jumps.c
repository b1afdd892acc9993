/* setjmp and longjmp: retries, out of recursion, nested, from callbacks, in loops. */
// exit: 7
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf outer, inner;

static void dive(int n, int code)
{
	char pad[24];
	if (n < 0)
		return;
	snprintf(pad, sizeof pad, "%d", n);
	if (n == 0)
		longjmp(code % 2 ? inner : outer, code);
	dive(n - 1, code);
	puts(pad);
}

static int guarded(int code)
{
	volatile int attempts = 0;
	int r = setjmp(inner);
	attempts++;
	if (r == 0)
		dive(10, code);
	printf("inner caught %d after %d\n", r, attempts);
	if (attempts < 3)
		dive(attempts, r);
	return r;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	if (x == 13 || y == 13)
		longjmp(outer, 13);
	return x - y;
}

struct context { jmp_buf env; struct context *up; int level; };
static struct context *top;

static int protect(int level)
{
	struct context c = {.up = top, .level = level};
	volatile int tries = 0;
	top = &c;
	if (setjmp(c.env) != 0)
		tries++;
	if (tries == 0) {
		if (level < 5)
			protect(level + 1);
		longjmp(c.env, 1);
	}
	if (tries == 1 && c.up && level % 2) {
		top = c.up;
		longjmp(c.up->env, level);
	}
	top = c.up;
	return level;
}

int main(void)
{
	for (volatile int code = 1; code < 6; code++) {
		int r = setjmp(outer);
		if (r == 0)
			printf("guarded returned %d\n", guarded(code));
		else
			printf("outer caught %d\n", r);
	}
	int v[] = {5, 3, 13, 1};
	switch (setjmp(outer)) {
	case 0:
		qsort(v, 4, sizeof *v, compare);
		puts("sorted");
		break;
	case 13:
		puts("unlucky");
	}
	printf("protect %d\n", protect(0));
	for (volatile int i = 0; i < 30; i++)
		if (setjmp(outer) == 0 && i % 3 == 0)
			dive(i % 5, 2);
	return setjmp(outer) == 0 ? (longjmp(outer, 0), 0) : 7;
}
