/* Complex numbers by value. */
// exit: 0
#include <complex.h>
#include <stdio.h>

static double complex iterate(double complex z, double complex c, int n) { return n ? iterate(z * z + c, c, n - 1) : z; }

int main(void)
{
	for (int i = 0; i < 6; i++) {
		double complex c = 0.1 * i - 0.05 * i * I, z = iterate(0, c, 12);
		printf("%a %a %a\n", creal(z), cimag(z), cabs(z));
	}
	float complex f = 1 + 2 * I;
	for (int i = 0; i < 5; i++)
		f = f / (1 - I) + conjf(f), printf("%.9g %.9g\n", crealf(f), cimagf(f));
	double complex e = cexp(I * 3.0), s = csqrt(-2 + I);
	printf("%a %a %a %a %a\n", creal(e), cimag(e), creal(s), cimag(s), carg(s));
	return 0;
}
