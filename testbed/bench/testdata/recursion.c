// Nothing but calls: each function calls itself and does little else.
#include <stdio.h>
#include <stdlib.h>

#define KEEP __attribute__((noinline))

static KEEP unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static KEEP int tak(int x, int y, int z)
{
	return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static KEEP unsigned ackermann(unsigned m, unsigned n)
{
	if (!m)
		return n + 1;
	return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static KEEP unsigned queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
	unsigned found = columns == all;
	for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
		unsigned bit = free & -free;
		found += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
	}
	return found;
}

struct tree {
	struct tree *left, *right;
};

static KEEP struct tree *grow(int depth)
{
	struct tree *t = malloc(sizeof *t);
	if (!t)
		exit(3);
	*t = depth ? (struct tree){grow(depth - 1), grow(depth - 1)} : (struct tree){0};
	return t;
}

static KEEP int count(const struct tree *t) { return t ? 1 + count(t->left) + count(t->right) : 0; }

int main(void)
{
	printf("fib %u\n", fib(40));
	printf("tak %d\n", tak(27, 18, 9));
	printf("ackermann %u\n", ackermann(3, 12));
	printf("queens %u\n", queens((1 << 13) - 1, 0, 0, 0));
	struct tree *t = grow(18);
	int nodes = 0;
	for (int i = 0; i < 20; i++)
		nodes += count(t);
	printf("nodes %d\n", nodes);
}
