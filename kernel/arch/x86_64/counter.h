#ifndef MIGRATED_COUNTER_H
#define MIGRATED_COUNTER_H

#include <stdint.h>

/* The time-stamp counter (Intel SDM, volume 2, RDTSC). */
static inline uint64_t arch_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
