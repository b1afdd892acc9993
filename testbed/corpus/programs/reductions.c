/* Long inner loops that vectorise: sums, dots, maxima, masks, strides, with early exits. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>

#define N 20000
static int a[N], b[N];
static double x[N], y[N];
static unsigned char bytes[N];

static long sum(const int *v, int n)
{
	long s = 0;
	for (int i = 0; i < n; i++)
		s += v[i];
	return s;
}

static int largest(const int *v, int n, int stride)
{
	int m = v[0];
	for (int i = 0; i < n; i += stride)
		m = v[i] > m ? v[i] : m;
	return m;
}

static double dot(const double *p, const double *q, int n)
{
	double s = 0;
	for (int i = 0; i < n; i++)
		s += p[i] * q[i];
	return s;
}

static int find(const unsigned char *p, int n, int c)
{
	for (int i = 0; i < n; i++)
		if (p[i] == c)
			return i;
	return -1;
}

static unsigned checksum(const unsigned char *p, unsigned n)
{
	unsigned h = 2166136261u;
	while (n--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

int main(void)
{
	unsigned seed = 5;
	for (int i = 0; i < N; i++) {
		seed = seed * 1664525 + 1013904223;
		a[i] = (int)(seed >> 8) % 1000 - 500;
		b[i] = a[i] > 0 ? a[i] * 2 : -a[i];
		x[i] = a[i] / 16.0;
		y[i] = b[i] / 32.0;
		bytes[i] = (unsigned char)(seed >> 24);
	}
	for (int n = 1; n <= N; n = n * 3 + 1)
		printf("%d: %ld %d %d %a %d %u\n", n, sum(a, n), largest(b, n, 1), largest(a, n, 7), dot(x, y, n),
			find(bytes, n, 77), checksum(bytes, (unsigned)n));
	for (int round = 0; round < 20; round++)
		for (int i = 1; i < N; i++) {
			a[i] = (a[i] ^ b[i - 1]) + round;
			y[i] = x[i] * 0.5 + y[i - 1] * 0.25;
		}
	long even = 0;
	for (int i = 0; i < N; i++)
		if (a[i] % 2 == 0)
			even++;
	printf("%ld %ld %a\n", sum(a, N), even, dot(y, y, N));
	return 0;
}
