#include "roundtrip.h"

typedef int compare(const void *, const void *);

static void swap(char *a, char *b, long size)
{
	while (size--) {
		char c = *a;
		*a++ = *b;
		*b++ = c;
	}
}

/* Selection sort: calls through a pointer in a nested loop. */
static void sort(void *base, long n, long size, compare *less)
{
	char *p = base;
	for (long i = 0; i < n; i++)
		for (long j = i + 1; j < n; j++)
			if (less(p + j * size, p + i * size))
				swap(p + i * size, p + j * size, size);
}

static int calls;

static int int_less(const void *a, const void *b)
{
	calls++;
	POINT();
	return *(const int *)a < *(const int *)b;
}

static int longer(const void *a, const void *b)
{
	POINT();
	return *(const long *)a > *(const long *)b;
}

static long through(long (*f)(long, void *), long n, void *p)
{
	return f(n, p) * 2;
}

static long counted(long n, void *p)
{
	long *count = p;
	for (long i = 0; i < n; i++) {
		++*count;
		POINT();
	}
	return *count;
}

static compare *volatile chosen;

int program(void)
{
	int ints[] = {5, 3, 9, -1, 4, 4, 0};
	long longs[] = {5, 3, 9, -1, 4};
	chosen = int_less;
	sort(ints, 7, sizeof ints[0], chosen);
	chosen = longer;
	sort(longs, 5, sizeof longs[0], chosen);
	long sum = 0;
	for (int i = 0; i < 7; i++)
		sum = sum * 10 + ints[i];
	out(sum);
	for (int i = 0; i < 5; i++)
		out(longs[i]);
	out(calls);
	long count = 3;
	out(through(counted, 5, &count));
	out(count);
	return 3;
}
