#ifndef MIGRATED_COUNTER_H
#define MIGRATED_COUNTER_H

#include <stdint.h>

/* The virtual counter (Arm ARM, D13.8, CNTVCT_EL0); the barrier keeps it from being read
   early. */
static inline uint64_t arch_counter(void)
{
	uint64_t count;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(count) : : "memory");
	return count;
}

#endif
