/* Generators by switch on a saved line, state machines on the heap. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>

#define BEGIN switch (g->line) { case 0:
#define YIELD(x) do { g->line = __LINE__; g->value = (x); return 1; case __LINE__:; } while (0)
#define END } return 0

struct generator { int line, value, i, k; struct generator *source; int (*next)(struct generator *); };

static int numbers(struct generator *g)
{
	BEGIN
	for (g->i = 2; g->i < 150; g->i++)
		YIELD(g->i);
	END;
}

static int sieve(struct generator *g)
{
	BEGIN
	while (g->source->next(g->source))
		if (g->source->value % g->k)
			YIELD(g->source->value);
	END;
}

int main(void)
{
	struct generator *chain = calloc(1, sizeof *chain);
	chain->next = numbers;
	int primes = 0, sum = 0;
	while (chain->next(chain)) {
		int p = chain->value;
		struct generator *filter = calloc(1, sizeof *filter);
		*filter = (struct generator){.source = chain, .next = sieve, .k = p};
		chain = filter;
		primes++;
		sum += p;
		printf("%d ", p);
	}
	printf("\n%d primes, sum %d\n", primes, sum);
	while (chain) {
		struct generator *source = chain->source;
		free(chain);
		chain = source;
	}
	return 0;
}
