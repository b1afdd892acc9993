/* float and double arithmetic live across calls; rounding must be the same everywhere. */
// exit: 0
#include <float.h>
#include <math.h>
#include <stdio.h>

static int tick(int n) { return n > 0 ? tick(n - 1) + 1 : 0; }

static double newton(double a)
{
	double x = a / 2 + 1;
	for (int i = 0; i < 20; i++) {
		x = (x + a / x) / 2;
		tick(1);
	}
	return x;
}

static float harmonic(int n)
{
	float s = 0;
	for (int i = n; i > 0; i--) {
		s += 1.0f / (float)i;
		tick(0);
	}
	return s;
}

int main(void)
{
	for (int i = 1; i <= 10; i++)
		printf("sqrt(%d) = %a, error %a\n", i, newton(i), newton(i) - sqrt(i));
	printf("harmonic %.9g %a\n", harmonic(1000), harmonic(1000));
	double sum = 0, compensation = 0;
	for (int i = 1; i < 300; i++) {
		double y = 1.0 / i - compensation, t = sum + y;
		compensation = t - sum - y;
		sum = t;
		tick(1);
	}
	printf("kahan %a %a\n", sum, compensation);
	double x = 0.5, product = 1;
	for (int i = 0; i < 50; i++) {
		x = 3.9 * x * (1 - x);
		product *= 1 + x * 1e-3;
		tick(2);
	}
	printf("logistic %a %a\n", x, product);
	float denormal = FLT_MIN;
	for (int i = 0; i < 20; i++)
		denormal /= 2, tick(1);
	printf("denormal %a %d\n", denormal, fpclassify(denormal) == FP_SUBNORMAL);
	printf("%g %g %d %d\n", HUGE_VAL, -HUGE_VAL, isinf(1e308 * 10), isnan(sqrt(-1.0)));
	printf("%ld %ld %d %u\n", lrint(2.5), lround(2.5), (int)-1.9, (unsigned)3.99);
	printf("%a %a %a %a\n", floor(-1.5), ceil(-1.5), trunc(-1.5), rint(-1.5));
	printf("%a %a %a\n", fmod(10.25, 3), remainder(10.25, 3), fma(0.1, 10, -1));
	printf("%a %a\n", (double)(float)0.1, (double)16777217.0f);
	return 0;
}
