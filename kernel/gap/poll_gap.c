/* Measures the time between migration points, in images built with --poll-gap only: each poll
   calls __mig_poll_gap, and each doorbell goes by here. The longest stretches, from one such place
   to the next, are kept with the number of the poll that ended them: the counter goes on while the
   machine does something else, but that will not fall on the same stretch when the program runs
   again. */
#include <stddef.h>

#include "counter.h"
#include "host_abi.h"
#include "native.h"

#define STRETCHES 65536

/* Read by the benchmarks: testbed/bench/gap.go. */
struct {
	uint64_t count; /* of stretches */
	uint64_t least; /* ticks: no longer stretch is missing */
	struct stretch {
		uint64_t from, to; /* return addresses, in the text of this build */
		uint64_t poll;
		uint64_t ticks; /* of the counter */
	} stretch[STRETCHES];
} __mig_gaps;

/* Set by them: have all of memory mapped for this machine before anything is measured. A first touch
   by the program is the host's work, and falls in whatever stretch it comes. */
uint32_t __mig_gap_touch;

static uint64_t polls, last_place, last_time;

static void touch_memory(void)
{
	if (!__mig_gap_touch)
		return;
	__mig_gap_touch = 0;
	uint64_t end = MIG_PORTABLE_BASE + MIG_CTL->mem_size;
	for (uint64_t at = MIG_CTL->static_end; at < end; at += MIG_PAGE_SIZE) {
		/* A write that changes nothing, whoever else writes there. */
		uint8_t *byte = (uint8_t *)at, now = *byte;
		__atomic_compare_exchange_n(byte, &now, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

/* Makes room by keeping only what is twice as long. */
static void drop_short(void)
{
	while (__mig_gaps.count == STRETCHES) {
		__mig_gaps.least = 2 * __mig_gaps.least + 1;
		__mig_gaps.count = 0;
		for (size_t i = 0; i < STRETCHES; i++)
			if (__mig_gaps.stretch[i].ticks > __mig_gaps.least)
				__mig_gaps.stretch[__mig_gaps.count++] = __mig_gaps.stretch[i];
	}
}

static void record(uint64_t to, uint64_t now)
{
	uint64_t ticks = now - last_time;
	if (!last_time || ticks <= __mig_gaps.least)
		return;
	__mig_gaps.stretch[__mig_gaps.count++] = (struct stretch){last_place, to, polls, ticks};
	drop_short();
}

void __mig_poll_gap(void)
{
	uint64_t now = arch_counter(), here = (uint64_t)__builtin_return_address(0);
	record(here, now);
	touch_memory();
	polls++;
	last_place = here;
	last_time = arch_counter();
}

/* The host's time is not the guest's. */
int64_t __real___mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3);
int64_t __wrap___mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	uint64_t here = (uint64_t)__builtin_return_address(0);
	record(here, arch_counter());
	int64_t ret = __real___mig_ring(op, arg0, arg1, arg2, arg3);
	last_place = here;
	last_time = arch_counter();
	return ret;
}
