/* The functions of <math.h>, to the last bit. */
// exit: 0
#include <math.h>
#include <stdio.h>

#define ROW(f) {#f, f}
static const struct { const char *name; double (*f)(double); } one[] = {
	ROW(sin), ROW(cos), ROW(tan), ROW(asin), ROW(acos), ROW(atan), ROW(sinh), ROW(cosh), ROW(tanh),
	ROW(exp), ROW(exp2), ROW(expm1), ROW(log), ROW(log2), ROW(log10), ROW(log1p), ROW(sqrt), ROW(cbrt),
	ROW(erf), ROW(erfc), ROW(tgamma), ROW(lgamma), ROW(floor), ROW(ceil), ROW(round), ROW(trunc), ROW(fabs),
};
static const struct { const char *name; double (*f)(double, double); } two[] = {
	ROW(pow), ROW(atan2), ROW(fmod), ROW(hypot), ROW(fmax), ROW(fmin), ROW(copysign), ROW(nextafter), ROW(fdim),
};

int main(void)
{
	static const double at[] = {0.1, 0.5, 0.999, 2.25, -0.75};
	for (unsigned i = 0; i < sizeof one / sizeof *one; i++) {
		printf("%s", one[i].name);
		for (unsigned k = 0; k < sizeof at / sizeof *at; k++) {
			double y = one[i].f(at[k]);
			if (isnan(y))
				printf(" nan");
			else
				printf(" %a", y);
		}
		printf("\n");
	}
	for (unsigned i = 0; i < sizeof two / sizeof *two; i++) {
		printf("%s", two[i].name);
		for (unsigned k = 0; k + 1 < sizeof at / sizeof *at; k++)
			printf(" %a", two[i].f(at[k], at[k + 1]));
		printf("\n");
	}
	int exponent;
	double whole, fraction = frexp(1234.5678, &exponent), rest = modf(-3.25, &whole);
	printf("%a %d %a %a %a\n", fraction, exponent, ldexp(0.7, 5), rest, whole);
	printf("%a %a %a\n", (double)sinf(0.5f), (double)powf(1.5f, 2.5f), (double)expf(-1.0f));
	return 0;
}
