#include "roundtrip.h"

static long fib(int n)
{
	POINT();
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* Each frame's pointer to the local variable of the frame above it stays good. */
static long chain(int n, long *above)
{
	long mine = *above + n;
	POINT();
	if (n == 0)
		return mine;
	long below = chain(n - 1, &mine);
	*above += mine;
	return below;
}

static long ackermann(long m, long n)
{
	POINT();
	return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int program(void)
{
	out(fib(13));
	long base = 1;
	out(chain(50, &base));
	out(base);
	out(ackermann(2, 3));
	return 7;
}
