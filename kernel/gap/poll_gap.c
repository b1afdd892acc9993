/* Measures the time between migration points, in images built with --poll-gap only: each poll
   calls __mig_poll_gap, and each doorbell goes by here. The longest time is kept for each
   stretch, from one such place to the next. */
#include <stddef.h>

#include "counter.h"
#include "native.h"

#define STRETCHES 1024 /* a power of two */
#define PROBES 8

/* Read by the benchmarks: testbed/bench/gap.go. */
struct stretch {
	uint64_t from, to; /* return addresses, in the text of this build */
	uint64_t ticks;    /* of the counter */
} __mig_gaps[STRETCHES];

static uint64_t last_place, last_time;

static void record(uint64_t to, uint64_t now)
{
	uint64_t ticks = now - last_time, hash = (last_place * 31 + to) * 0x9e3779b97f4a7c15;
	struct stretch *least = NULL;
	for (uint64_t n = 0; n < PROBES; n++) {
		struct stretch *s = &__mig_gaps[((hash >> 40) + n) % STRETCHES];
		if (s->from == last_place && s->to == to) {
			if (s->ticks < ticks)
				s->ticks = ticks;
			return;
		}
		if (!least || s->ticks < least->ticks)
			least = s;
	}
	if (least->ticks < ticks)
		*least = (struct stretch){last_place, to, ticks};
}

void __mig_poll_gap(void)
{
	uint64_t now = arch_counter(), here = (uint64_t)__builtin_return_address(0);
	if (last_time)
		record(here, now);
	last_place = here;
	last_time = arch_counter();
}

/* The host's time is not the guest's. */
int64_t __real___mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3);
int64_t __wrap___mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	uint64_t here = (uint64_t)__builtin_return_address(0);
	if (last_time)
		record(here, arch_counter());
	int64_t ret = __real___mig_ring(op, arg0, arg1, arg2, arg3);
	last_place = here;
	last_time = arch_counter();
	return ret;
}
