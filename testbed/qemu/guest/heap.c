/* heap MIB FILL MODE: fills a heap and prints "ready". Then it makes a step each millisecond, or,
   idle, changes one page of a hundred whenever it is given a line, and prints "changed". Fill
   and mode are numbers of heap.h. */
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	struct heap h = {.pages = (size_t)atoi(argv[1]) * PAGES_IN_MIB, .seed = 1};
	enum fill fill = (enum fill)atoi(argv[2]);
	enum mode mode = (enum mode)atoi(argv[3]);
	h.words = aligned_alloc(PAGE_WORDS * 8, h.pages * PAGE_WORDS * 8);
	if (!h.words)
		return 3;
	heap_fill(&h, fill);
	say("ready");
	while (mode == MODE_IDLE) {
		while (getchar() != '\n')
			if (feof(stdin))
				return 0;
		for (size_t p = 0; p < h.pages; p += 100)
			h.words[p * PAGE_WORDS]++;
		say("changed");
	}
	for (uint64_t done = milliseconds();; usleep(1000)) {
		uint64_t now = milliseconds();
		if (now - done > 20) /* it was interrupted: what was missed is not made up for */
			done = now - 20;
		for (; done < now; done++)
			heap_step(&h, mode);
	}
}
