/* Floating point that ISAs have different instructions for: one answer in all builds. */
static int failures;
#define EXPECT(x) (failures += !(x))

typedef double v2 __attribute__((vector_size(16)));

static double volatile nan_ = __builtin_nan(""), zero = 0, one = 1, half = 0.5, big = 4503599627370497.0;

/* libc's functions, which this program brings along. */
double fmod(double x, double y) { return x - (double)(long)(x / y) * y; }
double frexp(double x, int *e)
{
	for (*e = 0; x >= 1; ++*e)
		x /= 2;
	return x;
}
long double floorl(long double x) { return (long double)(long)x - (x < (long double)(long)x); }

static void __attribute__((noinline)) minima(void)
{
	EXPECT(__builtin_fmin(nan_, one) == 1 && __builtin_fmin(one, nan_) == 1);
	EXPECT(__builtin_fmax(nan_, one) == 1 && __builtin_fmax(one, nan_) == 1);
	EXPECT(__builtin_fmin(half, one) == 0.5 && __builtin_fmax(half, one) == 1);
	EXPECT(__builtin_isnan(__builtin_fmax(nan_, nan_)));
	/* C leaves open which zero is the greater: ours is the second. */
	EXPECT(__builtin_signbit(__builtin_fmax(zero, -zero)));
	EXPECT(!__builtin_signbit(__builtin_fmax(-zero, zero)));
}

static void __attribute__((noinline)) rounding(void)
{
	EXPECT(__builtin_lrint(half) == 0 && __builtin_lrint(half + one) == 2);
	EXPECT(__builtin_lround(half) == 1 && __builtin_llround(-half) == -1);
	EXPECT(__builtin_floor(-half) == -1 && __builtin_ceil(half) == 1 && __builtin_trunc(-half) == 0);
	EXPECT(__builtin_rint(half) == 0 && __builtin_round(half) == 1 && __builtin_round(big) == big);
	EXPECT(__builtin_nearbyint(half + one) == 2 && __builtin_sqrt(one + one) == 0x1.6a09e667f3bcdp+0);
	EXPECT(__builtin_floorl(-0.5L * one) == -1);
}

static void __attribute__((noinline)) functions(void)
{
	int e;
	EXPECT(__builtin_fmod(7 * half, one) == 0.5);
	EXPECT(__builtin_frexp(6 * one, &e) == 0.75 && e == 3);
	v2 v = __builtin_elementwise_min((v2){half, one}, (v2){one, nan_});
	EXPECT(v[0] == 0.5 && v[1] == 1);
}

/* Contracted, the product's error would show. */
static double __attribute__((noinline)) muladd(double a, double b, double c)
{
#pragma STDC FP_CONTRACT ON
	return a * b + c;
}

static float __attribute__((noinline)) strict(float x)
{
#pragma STDC FENV_ACCESS ON
	float y = x / 3;
	return y > 1 ? (float)(double)(y * 2) : __builtin_sqrtf(y + (int)x);
}

int check(void)
{
	minima();
	rounding();
	functions();
	double a = 1 + 0x1p-30, b = 1 - 0x1p-30;
	EXPECT(muladd(a, b, -1) == 0);
	EXPECT(strict(6) == 4 && strict(3) == 2);
	return failures;
}
