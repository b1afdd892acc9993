#include "npb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t npb_power(uint64_t a, uint64_t n)
{
	uint64_t power = 1;
	for (; n; n >>= 1) {
		if (n & 1)
			npb_random(&power, a);
		uint64_t square = a;
		npb_random(&square, a);
		a = square;
	}
	return power;
}

const struct npb_class *npb_choose(const struct npb_class *table, int argc, char **argv)
{
	char want = argc > 1 ? argv[1][0] : 'S';
	for (const struct npb_class *c = table; c->name; c++)
		if (c->name == want && (argc < 2 || argv[1][1] == 0))
			return c;
	fprintf(stderr, "usage: %s [CLASS]\nclasses:", argv[0]);
	for (const struct npb_class *c = table; c->name; c++)
		fprintf(stderr, " %c", c->name);
	fprintf(stderr, "\n");
	exit(2);
}

int npb_check(const char *what, double value, double expected, double epsilon)
{
	double error = fabs((value - expected) / expected);
	printf("%s %.13e, expected %.13e, relative error %.1e\n", what, value, expected, error);
	return error <= epsilon;
}

int npb_finish(const char *kernel, char class, int verified, double seconds)
{
	printf("%s class %c: VERIFICATION %s\n", kernel, class, verified ? "SUCCESSFUL" : "FAILED");
	fprintf(stderr, "%s class %c: %.3f s\n", kernel, class, seconds);
	return verified ? 0 : 1;
}

double npb_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void *npb_alloc(uint64_t count, uint64_t size)
{
	void *p = calloc(count, size);
	if (!p) {
		fprintf(stderr, "out of memory: %llu bytes\n", (unsigned long long)(count * size));
		exit(3);
	}
	return p;
}
