/* Frame records of the thread that leaves, as one stack in portable memory:

       record = data, padded to 16 bytes; struct mig_trailer

   A forced unwind saves the innermost frame first, so what one leave adds lies the wrong way
   round until its end, when it is reversed in place. A popped record's bytes stay until the
   next leave: its frame may still be reading them. */
#include "thread.h"

#define UNIT 16 /* bytes: alignment of records, size of a trailer */
#define FIRST_PAGES 4

struct unit {
	uint64_t half[2];
};

_Static_assert(offsetof(struct records, stack) == offsetof(struct mig_records, stack) &&
	       offsetof(struct records, top) == offsetof(struct mig_records, top), "the host reads these");
_Static_assert(sizeof(struct unit) == UNIT && sizeof(struct mig_trailer) == UNIT, "one unit");

static uint64_t padded(uint64_t size)
{
	return (size + UNIT - 1) & ~(uint64_t)(UNIT - 1);
}

static struct records *current(void)
{
	return &thread_current()->records;
}

static struct mig_trailer *trailer_below(const struct records *r, uint64_t end)
{
	return (struct mig_trailer *)(r->stack + end - UNIT);
}

bool records_init(struct records *r)
{
	*r = (struct records){.stack = page_alloc(FIRST_PAGES), .capacity = FIRST_PAGES * PAGE};
	return r->stack != NULL;
}

void records_free(struct records *r)
{
	page_free(r->stack, r->capacity / PAGE);
}

void records_leave_begin(void)
{
	struct records *r = current();
	r->leave_from = r->top;
	r->leave_frames = 0;
}

NATIVE_CALLS void *__mig_record_room(uint64_t size)
{
	struct records *r = current();
	uint64_t need = r->top + padded(size) + UNIT;
	if (need > r->capacity) {
		uint64_t wider = 2 * r->capacity;
		while (wider < need)
			wider *= 2;
		uint8_t *moved = page_alloc(wider / PAGE);
		if (!moved)
			panic_out_of_memory("no memory for frame records while leaving the stack");
		memcpy(moved, r->stack, r->top);
		page_free(r->stack, r->capacity / PAGE);
		r->stack = moved;
		r->capacity = wider;
		r->dirty = r->top;
	}
	return r->stack + r->top;
}

NATIVE_CALLS void __mig_record_done(uint32_t site, uint32_t size)
{
	struct records *r = current();
	r->top += padded(size) + UNIT;
	*trailer_below(r, r->top) = (struct mig_trailer){.site = site, .size = size};
	if (r->dirty < r->top)
		r->dirty = r->top;
	r->leave_frames++;
}

static void reverse(uint8_t *from, uint8_t *to)
{
	struct unit *a = (struct unit *)from, *b = (struct unit *)to;
	while (a < --b) {
		struct unit u = *a;
		*a++ = *b;
		*b = u;
	}
}

void records_leave_end(void)
{
	struct records *r = current();
	/* All units the other way round; then each record, which now begins with its
	   trailer, the right way again. */
	reverse(r->stack + r->leave_from, r->stack + r->top);
	for (uint64_t at = r->leave_from; at < r->top;) {
		struct mig_trailer *t = (struct mig_trailer *)(r->stack + at);
		uint64_t end = at + UNIT + padded(t->size);
		reverse(r->stack + at, r->stack + end);
		at = end;
	}
	if (MIG_CTL->show_records)
		__mig_ring(MIG_OP_RECORDS, (uint64_t)(r->stack + r->leave_from), r->top - r->leave_from, 0, 0);
}

void records_report(struct records *r)
{
	MIG_CTL->left_frames += r->leave_frames;
	MIG_CTL->left_bytes += r->top - r->leave_from;
	r->leave_frames = 0;
	r->leave_from = r->top;
	memset(r->stack + r->top, 0, r->dirty - r->top);
	r->dirty = r->top;
}

static bool record_ending_at(const struct records *records, uint64_t end, struct mig_record *r)
{
	if (end == 0)
		return false;
	struct mig_trailer *t = trailer_below(records, end);
	r->site = t->site;
	r->end = end;
	r->below = end - UNIT - padded(t->size);
	r->data = records->stack + r->below;
	return true;
}

NATIVE_CALLS bool __mig_record_top(struct mig_record *r)
{
	return record_ending_at(current(), current()->top, r);
}

NATIVE_CALLS bool __mig_record_below(struct mig_record *r)
{
	return record_ending_at(current(), r->below, r);
}

NATIVE_CALLS void __mig_record_cut(const struct mig_record *r)
{
	current()->top = r->below;
}

NATIVE_CALLS void __mig_record_continue_at(const struct mig_record *r, uint32_t site)
{
	current()->top = r->end;
	trailer_below(current(), r->end)->site = site;
}
