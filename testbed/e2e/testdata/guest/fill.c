/* fill MIB: fills memory with numbers that do not compress; at each line of input it walks
   through all of it by pointers and prints the sum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"

/* A block is one MiB: where the next one is, and numbers. */
struct block {
	struct block *next;
	uint64_t value[(1 << 20) / 8 - 1];
};

/* xorshift64 (Marsaglia, Xorshift RNGs, 2003). */
static uint64_t next(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

int fill_command(int argc, char **argv)
{
	struct block *blocks = 0;
	uint64_t x = 88172645463325252;
	for (int i = argc > 0 ? atoi(argv[0]) : 1; i > 0; i--) {
		struct block *b = malloc(sizeof *b);
		if (!b) {
			fprintf(stderr, "out of memory, %d MiB before the end\n", i);
			return 3;
		}
		for (size_t k = 0; k < sizeof b->value / 8; k++)
			b->value[k] = x = next(x);
		b->next = blocks;
		blocks = b;
	}
	printf("filled\n");
	for (int c; (c = getchar()) != EOF;) {
		if (c != '\n')
			continue;
		uint64_t sum = 0;
		for (const struct block *b = blocks; b; b = b->next)
			for (size_t k = 0; k < sizeof b->value / 8; k++)
				sum = sum * 31 + b->value[k];
		printf("sum %016llx\n", (unsigned long long)sum);
	}
	return 0;
}
