/* A heap that is filled, read and written, the same in a guest of ours (heap.c) and as the
   only program of a machine of QEMU's (main.c). */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>
#include <stdint.h>

enum { PAGE_WORDS = 512, PAGES_IN_MIB = 256 };

enum fill {
	FILL_ZEROS,   /* one page of 16 has numbers, the others have been written with zeros */
	FILL_NUMBERS, /* words of 64 bits of which 32 are random */
	FILL_RANDOM,  /* all bits are random */
};

enum mode {
	MODE_IDLE,  /* nothing, for ever */
	MODE_READ,  /* in each step 16 pages are read, in order, and one is changed */
	MODE_WRITE, /* in each step 16 pages are changed, anywhere */
};

struct heap {
	volatile uint64_t *words;
	size_t pages, at;
	uint64_t seed;
};

static inline uint64_t heap_next(struct heap *h)
{
	h->seed = h->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return h->seed >> 32;
}

static inline void heap_fill(struct heap *h, enum fill fill)
{
	for (size_t p = 0; p < h->pages; p++)
		for (size_t i = 0; i < PAGE_WORDS; i++) {
			uint64_t word = 0;
			if (fill != FILL_ZEROS || p % 16 == 0)
				word = heap_next(h);
			if (fill == FILL_RANDOM)
				word |= heap_next(h) << 32;
			h->words[p * PAGE_WORDS + i] = word;
		}
}

static inline void heap_step(struct heap *h, enum mode mode)
{
	for (int i = 0; mode == MODE_READ && i < 16; i++, h->at = (h->at + 1) % h->pages)
		for (size_t j = 0; j < PAGE_WORDS; j++)
			(void)h->words[h->at * PAGE_WORDS + j];
	for (int i = 0; i < (mode == MODE_WRITE ? 16 : 1); i++)
		h->words[heap_next(h) % h->pages * PAGE_WORDS + heap_next(h) % PAGE_WORDS]++;
}

#endif
