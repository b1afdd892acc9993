/* IS, "integer sort": ranks of small integers by counting (RNR-94-007, section 2.5). */
#include "common/npb.h"

#include <stdio.h>
#include <string.h>

enum { ITERATIONS = 10, PROBES = 5 };

/* size: log2 of the number of keys, log2 of the largest key */
static const struct npb_class classes[] = {
	{'S', {16, 11}, {0}},
	{'W', {20, 16}, {0}},
	{'A', {23, 19}, {0}},
	{'B', {25, 21}, {0}},
	{0, {0}, {0}},
};

/* Keys at these places have these ranks, moved by the iteration as the report says: up to
   probe `up` by +(iteration + shift), from there by -(iteration + shift_down). */
static const struct probes {
	char name;
	int index[PROBES], rank[PROBES];
	int up, shift, shift_down;
} probes[] = {
	{'S', {48427, 17148, 23627, 62548, 4431}, {0, 18, 346, 64917, 65463}, 3, 0, 0},
	{'W', {357773, 934767, 875723, 898999, 404505}, {1249, 11698, 1039987, 1043896, 1048018}, 2, -2, 0},
	{'A', {2112377, 662041, 5336171, 3642833, 4250760}, {104, 17523, 123928, 8288932, 8388264}, 3, -1, -1},
	{'B', {812306, 5102857, 26860214, 41869, 18232239}, {10244, 59149, 99, 33422937, 33135281}, 3, 0, 0},
};

static void make_keys(int *key, int keys, int max_key)
{
	uint64_t seed = 314159265;
	for (int i = 0; i < keys; i++) {
		double x = npb_random(&seed, NPB_A);
		x += npb_random(&seed, NPB_A);
		x += npb_random(&seed, NPB_A);
		x += npb_random(&seed, NPB_A);
		key[i] = (int)(max_key / 4 * x);
	}
}

/* count[k] becomes the number of keys <= k. */
static void rank_keys(const int *key, int keys, int *count, int max_key)
{
	memset(count, 0, (size_t)max_key * sizeof *count);
	for (int i = 0; i < keys; i++)
		count[key[i]]++;
	for (int k = 1; k < max_key; k++)
		count[k] += count[k - 1];
}

static int check_probes(const struct probes *p, const int *probed, const int *count, int keys, int iteration)
{
	int passed = 0;
	for (int i = 0; i < PROBES; i++) {
		int k = probed[i];
		if (k <= 0 || k > keys - 1)
			continue;
		int want = i < p->up ? p->rank[i] + iteration + p->shift : p->rank[i] - iteration - p->shift_down;
		if (count[k - 1] == want)
			passed++;
		else
			printf("iteration %d, probe %d: rank %d, expected %d\n", iteration, i, count[k - 1], want);
	}
	return passed;
}

/* Places each key by its rank and looks whether the result is in order. */
static int check_order(const int *key, int keys, int *count, int *sorted)
{
	int bad = 0;
	for (int i = 0; i < keys; i++)
		sorted[--count[key[i]]] = key[i];
	for (int i = 1; i < keys; i++)
		bad += sorted[i - 1] > sorted[i];
	if (bad)
		printf("%d keys out of order\n", bad);
	return !bad;
}

int main(int argc, char **argv)
{
	const struct npb_class *class = npb_choose(classes, argc, argv);
	const struct probes *p = probes;
	while (p->name != class->name)
		p++;
	int keys = 1 << class->size[0], max_key = 1 << class->size[1], passed = 0;
	int *key = npb_alloc(keys, sizeof *key), *sorted = npb_alloc(keys, sizeof *sorted);
	int *count = npb_alloc(max_key, sizeof *count);

	make_keys(key, keys, max_key);
	double start = npb_now();
	for (int iteration = 1; iteration <= ITERATIONS; iteration++) {
		int probed[PROBES];
		key[iteration] = iteration;
		key[iteration + ITERATIONS] = max_key - iteration;
		for (int i = 0; i < PROBES; i++)
			probed[i] = key[p->index[i]];
		rank_keys(key, keys, count, max_key);
		int now = check_probes(p, probed, count, keys, iteration);
		printf("iteration %d: %d of %d probes right\n", iteration, now, PROBES);
		fflush(stdout);
		passed += now;
	}
	double seconds = npb_now() - start;
	int ok = passed == PROBES * ITERATIONS;
	ok &= check_order(key, keys, count, sorted);
	return npb_finish("IS", class->name, ok, seconds);
}
