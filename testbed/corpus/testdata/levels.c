/* Loops that each CPU level computes with instructions of its own, long enough to be left in
 * the middle: every level must come to the same bits. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { N = 40000, ROUNDS = 6 };

static double x[N], y[N];
static float f[N];
static uint64_t u[N];
static int32_t s[N];
static uint32_t at[N];

static uint64_t next(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void fill(void)
{
	for (int i = 0; i < N; i++) {
		u[i] = next();
		x[i] = (double)(next() >> 11) * 0x1p-53;
		y[i] = 1 + (double)(next() >> 11) * 0x1p-53;
		f[i] = (float)x[i];
		s[i] = (int32_t)next();
		at[i] = (uint32_t)(next() % N);
	}
}

/* Rounded once or twice, by --fp. */
__attribute__((noinline)) static void axpy(double a)
{
	for (int i = 0; i < N; i++)
		y[i] = a * x[i] + y[i];
}

__attribute__((noinline)) static void horner(float a)
{
	for (int i = 0; i < N; i++)
		f[i] = (a * f[i] + 0.25f) * f[i] - 0.125f;
}

/* A reduction in the order of the source. */
__attribute__((noinline)) static double dot(void)
{
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += x[i] * y[i];
	return sum;
}

/* Unsigned numbers of 64 bits have instructions of their own from x86-64-v4 on. */
__attribute__((noinline)) static void convert(void)
{
	for (int i = 0; i < N; i++) {
		x[i] = (double)u[i] * 0x1p-64 + x[i] * 0.5;
		u[i] += (uint64_t)(y[i] * 1e15) ^ (uint64_t)__builtin_popcountll(u[i]);
	}
}

/* Masks, gathers and saturation. */
__attribute__((noinline)) static uint64_t mix(void)
{
	uint64_t sum = 0;
	for (int i = 0; i < N; i++) {
		int32_t v = s[at[i]];
		if (v > 1000)
			s[i] = v / 3 - s[i];
		sum += (uint64_t)(int64_t)s[i] * (u[i] >> 40);
	}
	return sum;
}

__attribute__((noinline)) static double rooted(void)
{
	double most = 0;
	for (int i = 0; i < N; i++) {
		double r = sqrt(fabs(y[i])) + floor(x[i] * 8) + fmin(x[i], y[i]);
		most = r > most ? r : most;
	}
	return most;
}

int main(void)
{
	fill();
	for (int round = 0; round < ROUNDS; round++) {
		axpy(0.1 + round);
		horner(0.75f);
		convert();
		uint64_t sum = mix();
		printf("%d %a %a %llu %a %a\n", round, dot(), rooted(), (unsigned long long)sum, f[sum % N], fma(y[sum % N], x[1], -y[2]));
	}
	/* Their sign is the CPU's. */
	volatile double zero = 0, infinite = INFINITY;
	volatile float less = -1;
	printf("nan: %f %e %+g % a %6.1f|%-6G| %Lf %f\n", zero / zero, -(zero / zero), infinite - infinite, zero * infinite,
		sqrt(less), infinite / infinite, (long double)(zero / zero), fmod(1, zero));
	return 0;
}
