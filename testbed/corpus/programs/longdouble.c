/* long double is IEEE quad everywhere: arithmetic, conversion, printing, live across calls. */
// exit: 0
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

static long double series(int n, long double term, long double sum)
{
	return n > 40 ? sum : series(n + 1, term / n, sum + term / n);
}

static long double power(long double x, int n)
{
	long double r = 1;
	for (; n; n >>= 1) {
		if (n & 1)
			r *= x;
		x *= x;
		printf("%s", "");
	}
	return r;
}

int main(void)
{
	printf("digits %d %d, size %d\n", LDBL_MANT_DIG, DBL_MANT_DIG, (int)sizeof(long double));
	printf("e = %.33Lf\n", series(1, 1, 1));
	long double third = 1.0L / 3, x = power(1 + third, 50);
	printf("%.33Lg %.20Le\n", third, x);
	printf("%a %La\n", (double)x, x);
	printf("%d %ld %.17g %.9g\n", (int)x, (long)(x * 1e6L), (double)third, (float)third);
	printf("%d %d %d\n", x > third, third == 1.0L / 3, third < 0);
	long double parsed = strtold("3.14159265358979323846264338327950288", NULL);
	printf("%.34Lg %.34Lg\n", parsed, parsed - 3.14159265358979323846264338327950288L);
	unsigned long u = 0xfffffffffffff801UL;
	printf("%.0Lf %lu\n", (long double)u, (unsigned long)(long double)u);
	return 0;
}
