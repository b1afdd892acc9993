/* Pages of portable memory: a bitmap, one bit a page, set when taken. Runs are taken from
   the top, so that brk has room to grow from the bottom. */
#include "kernel.h"

static uint64_t *taken;      /* bit i: page i behind first */
static uint64_t first;       /* address of page 0 */
static uint64_t count;       /* pages */
static uint64_t free_pages;
static uint64_t search_from; /* no page at or above this index is free */

static bool is_taken(uint64_t i)
{
	return taken[i / 64] >> (i % 64) & 1;
}

static void mark(uint64_t i, uint64_t n)
{
	for (uint64_t end = i + n; i < end;) {
		if (i % 64 == 0 && end - i >= 64) {
			taken[i / 64] = ~0ull;
			i += 64;
		} else {
			taken[i / 64] |= 1ull << (i % 64);
			i++;
		}
	}
	free_pages -= n;
}

void page_init(uint64_t start, uint64_t end)
{
	first = (start + PAGE - 1) & ~(PAGE - 1);
	count = end > first ? (end - first) / PAGE : 0;
	uint64_t map_pages = PAGES((count + 63) / 64 * 8);
	if (count <= map_pages)
		panic_out_of_memory("this VM's memory does not hold the program's data");
	taken = (uint64_t *)first;
	first += map_pages * PAGE;
	count -= map_pages;
	free_pages = count;
	search_from = count;
}

uint64_t page_count_free(void)
{
	return free_pages;
}

uint64_t page_count(void)
{
	return count;
}

uint64_t page_start(void)
{
	return first;
}

bool page_ours(uint64_t addr, uint64_t pages)
{
	return addr % PAGE == 0 && addr >= first && (addr - first) / PAGE <= count &&
	       pages <= count - (addr - first) / PAGE;
}

void *page_alloc(uint64_t pages)
{
	if (pages == 0 || pages > free_pages)
		return NULL;
	uint64_t run = 0; /* free pages found from i upwards */
	bool skipped = false; /* a free page that was too narrow lies above i */
	for (uint64_t i = search_from; i-- > 0;) {
		if (i % 64 == 63 && taken[i / 64] == ~0ull) {
			skipped |= run > 0;
			run = 0;
			if (!skipped)
				search_from = i - 63;
			i -= 63;
			continue;
		}
		if (i % 64 == 63 && taken[i / 64] == 0 && pages - run > 64) {
			run += 64;
			i -= 63;
			continue;
		}
		if (is_taken(i)) {
			skipped |= run > 0;
			run = 0;
			if (!skipped)
				search_from = i;
			continue;
		}
		if (++run < pages)
			continue;
		mark(i, pages);
		if (!skipped)
			search_from = i;
		return (void *)(first + i * PAGE);
	}
	return NULL;
}

bool page_is_free(uint64_t addr, uint64_t pages)
{
	if (!page_ours(addr, pages))
		return false;
	uint64_t i = (addr - first) / PAGE;
	for (uint64_t k = 0; k < pages; k++)
		if (is_taken(i + k))
			return false;
	return true;
}

bool page_take(uint64_t addr, uint64_t pages)
{
	if (!page_is_free(addr, pages))
		return false;
	mark((addr - first) / PAGE, pages);
	return true;
}

void page_free(void *run, uint64_t pages)
{
	uint64_t i = ((uint64_t)run - first) / PAGE, end = i + pages;
	for (; i < end; i++) {
		if (!is_taken(i))
			continue;
		memset((void *)(first + i * PAGE), 0, PAGE);
		taken[i / 64] &= ~(1ull << (i % 64));
		free_pages++;
		if (i >= search_from)
			search_from = i + 1;
	}
}

void page_free_leaving(void *run, uint64_t pages)
{
	uint8_t *at = run;
	for (; pages > PART / PAGE; pages -= PART / PAGE, at += PART) {
		page_free(at, PART / PAGE);
		leave_point();
	}
	page_free(at, pages);
}
