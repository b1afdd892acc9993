/* The page allocator against a simple model, at random: runs do not overlap, are zero when
   they are given out, and all come back. */
#include "harness.h"
#include "kernel.h"

#define MEMORY (1ul << 20)
#define RUNS 64

static uint8_t owner[MEMORY / PAGE + 1];

static uint64_t index_of(void *run)
{
	return ((uint64_t)run - page_start()) / PAGE;
}

static void check_run(uint8_t *run, uint64_t pages, int who)
{
	for (uint64_t i = 0; i < pages; i++) {
		CHECK(owner[index_of(run) + i] == 0);
		owner[index_of(run) + i] = who;
	}
	for (uint64_t i = 0; i < pages * PAGE; i++)
		CHECK(run[i] == 0);
	memset(run, 0xa5, pages * PAGE);
}

static void release(uint8_t *run, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		owner[index_of(run) + i] = 0;
	if (pages % 2)
		page_free(run, pages);
	else
		page_free_leaving(run, pages);
}

void test(void)
{
	harness_map(MEMORY);
	page_init(MIG_PORTABLE_BASE + 100, MIG_PORTABLE_BASE + MEMORY);
	uint64_t total = page_count();
	CHECK(total > MEMORY / PAGE - 8 && total < MEMORY / PAGE);
	EQUAL(page_count_free(), total);

	struct { uint8_t *run; uint64_t pages; } held[RUNS] = {0};
	uint64_t used = 0;
	for (int step = 0; step < 20000; step++) {
		int i = harness_random() % RUNS;
		if (held[i].run) {
			release(held[i].run, held[i].pages);
			used -= held[i].pages;
			held[i].run = NULL;
			EQUAL(page_count_free(), total - used);
			continue;
		}
		uint64_t pages = 1 + harness_random() % 12;
		if (harness_random() % 16 == 0)
			pages += harness_random() % 160; /* whole words of the bitmap */
		uint8_t *run;
		if (harness_random() % 4 == 0) {
			/* a place of the test's choice */
			uint64_t at = harness_random() % total;
			bool fits = at + pages <= total;
			for (uint64_t k = 0; fits && k < pages; k++)
				fits = owner[at + k] == 0;
			run = (uint8_t *)(page_start() + at * PAGE);
			EQUAL(page_take((uint64_t)run, pages), fits);
			if (!fits)
				continue;
		} else {
			run = page_alloc(pages);
			uint64_t free_run = 0, widest = 0;
			for (uint64_t k = 0; k < total; k++) {
				free_run = owner[k] ? 0 : free_run + 1;
				widest = free_run > widest ? free_run : widest;
			}
			EQUAL(run != NULL, widest >= pages);
			if (!run)
				continue;
		}
		held[i].run = run;
		held[i].pages = pages;
		used += pages;
		check_run(run, pages, 1 + i);
	}
	for (int i = 0; i < RUNS; i++)
		if (held[i].run)
			release(held[i].run, held[i].pages);
	EQUAL(page_count_free(), total);
	uint8_t *all = page_alloc(total);
	CHECK(all);
	check_run(all, total, 1);
	CHECK(!page_alloc(1));
	CHECK(!page_ours(page_start() + PAGE, total));
	CHECK(!page_ours(page_start() - PAGE, 1));
}
