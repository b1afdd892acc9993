/* Records come back innermost first, over several leaves with others between, while the
   stack of records grows. */
#include "harness.h"
#include "thread.h"

#define DEPTH 4000

/* What frame n of leave l wrote. */
static uint8_t byte_of(int leave, int frame, uint32_t i)
{
	return leave * 31 + frame * 7 + i;
}

static uint32_t size_of(int leave, int frame)
{
	return (leave * 13 + frame * 29) % 200;
}

/* Frames from inner to outer, as an unwinder meets them. */
static void leave(int number, int inner, int outer)
{
	records_leave_begin();
	for (int frame = inner; frame >= outer; frame--) {
		uint32_t size = size_of(number, frame);
		uint8_t *data = __mig_record_room(200);
		CHECK((uint64_t)data % 16 == 0);
		for (uint32_t i = 0; i < size; i++)
			data[i] = byte_of(number, frame, i);
		__mig_record_done(1000 * number + frame, size);
	}
	records_leave_end();
	MIG_CTL->left_frames = 0;
	records_report(&thread_first.records);
	EQUAL(MIG_CTL->left_frames, inner - outer + 1);
}

static void come_back(int number, int frame)
{
	struct mig_record r;
	CHECK(__mig_record_top(&r));
	EQUAL(r.site, 1000 * number + frame);
	for (uint32_t i = 0; i < size_of(number, frame); i++)
		EQUAL(((uint8_t *)r.data)[i], byte_of(number, frame, i));
	__mig_record_cut(&r);
}

void test(void)
{
	struct mig_record r;
	harness_map(16 << 20);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (16 << 20));
	CHECK(records_init(&thread_first.records));
	uint64_t before = page_count_free();
	CHECK(!__mig_record_top(&r));
	leave(1, 999, 0);
	for (int frame = 999; frame > 500; frame--)
		come_back(1, frame);
	leave(2, DEPTH, 501);
	CHECK(page_count_free() < before);
	/* Further down, without taking anything away. */
	CHECK(__mig_record_top(&r));
	for (int frame = DEPTH; frame > 501; frame--)
		CHECK(__mig_record_below(&r));
	EQUAL(r.site, 2501);
	CHECK(__mig_record_below(&r));
	EQUAL(r.site, 1500);
	/* longjmp: the frames above are gone, and the record goes on elsewhere. */
	__mig_record_continue_at(&r, 7);
	CHECK(__mig_record_top(&r));
	EQUAL(r.site, 7);
	EQUAL(((uint8_t *)r.data)[0], byte_of(1, 500, 0));
	__mig_record_cut(&r);
	for (int frame = 499; frame >= 0; frame--)
		come_back(1, frame);
	CHECK(!__mig_record_top(&r));
}
