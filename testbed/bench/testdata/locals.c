// Functions that are called often, and give addresses of their locals to others.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KEEP __attribute__((noinline))

struct vector {
	double x, y, z;
};

static KEEP void add(struct vector *to, const struct vector *a, const struct vector *b)
{
	*to = (struct vector){a->x + b->x, a->y + b->y, a->z + b->z};
}

static KEEP void cross(struct vector *to, const struct vector *a, const struct vector *b)
{
	*to = (struct vector){a->y * b->z - a->z * b->y, a->z * b->x - a->x * b->z, a->x * b->y - a->y * b->x};
}

static KEEP void scale(struct vector *to, const struct vector *a, double f)
{
	*to = (struct vector){a->x * f, a->y * f, a->z * f};
}

static KEEP double bend(const struct vector *at, const struct vector *by)
{
	struct vector sum, normal, small;
	add(&sum, at, by);
	cross(&normal, &sum, by);
	scale(&small, &normal, 0.5);
	return small.x + small.y - small.z;
}

static KEEP void divide(unsigned n, unsigned by, unsigned *quotient, unsigned *rest)
{
	*quotient = n / by;
	*rest = n % by;
}

static KEEP unsigned digits(unsigned n, unsigned base)
{
	unsigned sum = 0, rest;
	while (n) {
		divide(n, base, &n, &rest);
		sum += rest;
	}
	return sum;
}

static KEEP int next_token(const char **at, int *value)
{
	while (**at == ' ')
		++*at;
	if (!**at)
		return 0;
	if (**at < '0' || **at > '9') {
		*value = *(*at)++;
		return 2;
	}
	for (*value = 0; **at >= '0' && **at <= '9'; ++*at)
		*value = *value * 10 + **at - '0';
	return 1;
}

static KEEP int evaluate(const char *text)
{
	int sum = 0, sign = 1, value;
	for (int kind; (kind = next_token(&text, &value));)
		if (kind == 1)
			sum += sign * value;
		else
			sign = value == '-' ? -1 : 1;
	return sum;
}

static KEEP void mix(uint32_t block[16], unsigned a, unsigned b)
{
	block[a & 15] += block[b & 15];
	block[b & 15] = (block[b & 15] << 7 | block[b & 15] >> 25) ^ block[a & 15];
}

static KEEP uint32_t hash(uint32_t seed)
{
	uint32_t block[16];
	for (unsigned i = 0; i < 16; i++)
		block[i] = seed * (i + 1);
	for (unsigned i = 0; i < 16; i++)
		mix(block, i, i * 5 + 1);
	return block[0] ^ block[15];
}

int main(void)
{
	double bent = 0;
	for (int i = 0; i < 20000000; i++) {
		struct vector a = {i & 7, i & 3, 1}, b = {1, i & 5, i & 15};
		bent += bend(&a, &b);
	}
	printf("bent %.17g\n", bent);
	unsigned sum = 0;
	for (unsigned i = 0; i < 10000000; i++)
		sum += digits(i, 7 + (i & 3));
	printf("digits %u\n", sum);
	long total = 0;
	for (int i = 0; i < 2000000; i++)
		total += evaluate("12 + 345 - 6 + 78 - 9 + 1000 - 2 + 3");
	printf("evaluated %ld\n", total);
	uint32_t h = 0;
	for (uint32_t i = 0; i < 3000000; i++)
		h ^= hash(i);
	printf("hash %u\n", h);
}
