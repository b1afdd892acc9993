/* The heap of heap.h as the only program of a machine of QEMU's: the peer of heap.c. */
#include "heap.h"

extern const volatile struct {
	uint32_t mib, fill, mode;
} params; /* written into the image before it is started */

void bare_call(long number, long argument);

static void print(const char *s)
{
	for (; *s; s++)
		bare_call(1, *s);
}

_Noreturn void bare_main(void)
{
	/* Behind all that a machine has below. */
	struct heap h = {.words = (uint64_t *)(1 << 21), .pages = (size_t)params.mib * PAGES_IN_MIB, .seed = 1};
	heap_fill(&h, (enum fill)params.fill);
	print("ready\n");
	if (params.mode == MODE_IDLE)
		bare_call(2, 0);
	for (unsigned long step = 1;; step++) {
		bare_call(0, 0);
		heap_step(&h, (enum mode)params.mode);
		if (step % 256 == 0)
			print("."); /* it lives */
	}
}
