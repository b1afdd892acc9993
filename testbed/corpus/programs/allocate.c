/* malloc, calloc, realloc and free in random order; contents are checked at each step. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned seed = 12345;
static unsigned random_number(unsigned n) { return (seed = seed * 1664525 + 1013904223) / 65536 % n; }

struct block { unsigned char *p; size_t n; unsigned char fill; };

static int intact(const struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != (unsigned char)(b->fill + i))
			return 0;
	return 1;
}

static void fill(struct block *b, size_t from)
{
	for (size_t i = from; i < b->n; i++)
		b->p[i] = (unsigned char)(b->fill + i);
}

int main(void)
{
	static struct block blocks[64];
	size_t live = 0, most = 0;
	for (int step = 0; step < 600; step++) {
		struct block *b = &blocks[random_number(64)];
		if (!intact(b)) {
			printf("step %d: damaged\n", step);
			return 1;
		}
		size_t n = 1 + random_number(step % 50 == 0 ? 200000 : 2000);
		live -= b->n;
		if (!b->p) {
			*b = (struct block){step % 2 ? malloc(n) : calloc(n, 1), n, (unsigned char)step};
			fill(b, 0);
		} else if (step % 3) {
			b->p = realloc(b->p, n);
			size_t old = b->n;
			b->n = n;
			fill(b, old < n ? old : n);
		} else {
			free(b->p);
			*b = (struct block){0};
		}
		live += b->n;
		if (live > most)
			most = live;
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i].p);
	char *zero = calloc(1000, 100);
	size_t nonzero = 0;
	for (int i = 0; i < 100000; i++)
		nonzero += zero[i] != 0;
	void *aligned = aligned_alloc(256, 1024);
	printf("most %zu, %zu nonzero, aligned %d, huge %d\n", most, nonzero, (int)((size_t)aligned % 256), malloc((size_t)1 << 50) != NULL);
	free(zero);
	free(aligned);
	return 0;
}
