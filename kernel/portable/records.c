/* Frame records of the thread that leaves, as one stack in portable memory:

       record = data, padded to 16 bytes; struct trailer

   A forced unwind saves the innermost frame first, so what one leave adds lies the wrong way
   round until its end, when it is reversed in place. A popped record's bytes stay until the
   next leave: its frame may still be reading them. */
#include "kernel.h"

#define UNIT 16 /* bytes: alignment of records, size of a trailer */
#define FIRST_PAGES 4

struct unit {
	uint64_t half[2];
};

struct trailer {
	uint32_t site;
	uint32_t size; /* of the data, bytes, without padding */
	uint64_t spare;
};
_Static_assert(sizeof(struct unit) == UNIT && sizeof(struct trailer) == UNIT, "one unit");

static uint8_t *stack;
static uint64_t capacity; /* bytes, whole pages */
static uint64_t top;      /* bytes of records */
static uint64_t dirty;    /* bytes that may be other than zero */
static uint64_t leave_from, leave_frames; /* of the leave under way or the last one */

static uint64_t padded(uint64_t size)
{
	return (size + UNIT - 1) & ~(uint64_t)(UNIT - 1);
}

static struct trailer *trailer_below(uint64_t end)
{
	return (struct trailer *)(stack + end - UNIT);
}

void records_init(void)
{
	capacity = FIRST_PAGES * PAGE;
	stack = page_alloc(FIRST_PAGES);
	if (!stack)
		panic_out_of_memory("no memory for frame records");
}

void records_leave_begin(void)
{
	leave_from = top;
	leave_frames = 0;
}

NATIVE_CALLS void *__mig_record_room(uint64_t size)
{
	uint64_t need = top + padded(size) + UNIT;
	if (need > capacity) {
		uint64_t wider = 2 * capacity;
		while (wider < need)
			wider *= 2;
		uint8_t *moved = page_alloc(wider / PAGE);
		if (!moved)
			panic_out_of_memory("no memory for frame records while leaving the stack");
		memcpy(moved, stack, top);
		page_free(stack, capacity / PAGE);
		stack = moved;
		capacity = wider;
		dirty = top;
	}
	return stack + top;
}

NATIVE_CALLS void __mig_record_done(uint32_t site, uint32_t size)
{
	top += padded(size) + UNIT;
	*trailer_below(top) = (struct trailer){.site = site, .size = size};
	if (dirty < top)
		dirty = top;
	leave_frames++;
}

static void reverse(uint64_t from, uint64_t to)
{
	struct unit *a = (struct unit *)(stack + from), *b = (struct unit *)(stack + to);
	while (a < --b) {
		struct unit u = *a;
		*a++ = *b;
		*b = u;
	}
}

void records_leave_end(void)
{
	/* All units the other way round; then each record, which now begins with its
	   trailer, the right way again. */
	reverse(leave_from, top);
	for (uint64_t at = leave_from; at < top;) {
		struct trailer *t = (struct trailer *)(stack + at);
		uint64_t end = at + UNIT + padded(t->size);
		reverse(at, end);
		at = end;
	}
}

void records_report(void)
{
	MIG_CTL->left_frames = leave_frames;
	MIG_CTL->left_bytes = top - leave_from;
	memset(stack + top, 0, dirty - top);
	dirty = top;
}

static bool record_ending_at(uint64_t end, struct mig_record *r)
{
	if (end == 0)
		return false;
	struct trailer *t = trailer_below(end);
	r->site = t->site;
	r->end = end;
	r->below = end - UNIT - padded(t->size);
	r->data = stack + r->below;
	return true;
}

NATIVE_CALLS bool __mig_record_top(struct mig_record *r)
{
	return record_ending_at(top, r);
}

NATIVE_CALLS bool __mig_record_below(struct mig_record *r)
{
	return record_ending_at(r->below, r);
}

NATIVE_CALLS void __mig_record_cut(const struct mig_record *r)
{
	top = r->below;
}

NATIVE_CALLS void __mig_record_continue_at(const struct mig_record *r, uint32_t site)
{
	top = r->end;
	trailer_below(top)->site = site;
}
