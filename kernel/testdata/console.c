/* The rings: frames that wrap, output that is longer than the ring, and input that a move
   takes out of one. */
#include "harness.h"
#include "kernel.h"

static char big[300000];
static int waits;

static void feed(uint64_t deadline)
{
	EQUAL(deadline, FOREVER);
	if (waits++ == 0) {
		EQUAL(harness_input("late", 4), 4);
	} else {
		MIG_CTL->in_eof = 1;
	}
	MIG_CTL->pending |= MIG_PEND_INPUT;
}

/* Input comes with a move: the ring is taken, and the next host says nothing of it. */
static void move(uint64_t deadline)
{
	(void)deadline;
	if (waits++)
		harness_fail(__FILE__, __LINE__, "the reader was not woken");
	EQUAL(harness_input("moved", 5), 5);
	console_take();
	MIG_CTL->pending = 0;
	__mig_resume();
}

void test(void)
{
	char buf[64];
	harness_map(1 << 20);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (1 << 20));
	MIG_OUT_RING->head = MIG_OUT_RING->tail = UINT32_MAX - 10; /* indices wrap too */
	MIG_IN_RING->head = MIG_IN_RING->tail = UINT32_MAX - 3;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = 'a' + i % 23;
	console_write(1, big, sizeof big);
	const char *out = harness_output(1);
	CHECK(memcmp(out, big, sizeof big) == 0 && out[sizeof big] == 0);

	uint64_t before = page_count_free();
	harness_input("first", 5);
	console_take();
	harness_input("second", 6);
	console_take();
	harness_input("third", 5);
	CHECK(console_readable());
	EQUAL(console_read(buf, 3), 3);
	EQUAL(console_read(buf + 3, 60), 8);
	EQUAL(console_read(buf + 11, 50), 5);
	CHECK(memcmp(buf, "firstsecondthird", 16) == 0);
	EQUAL(page_count_free(), before);

	CHECK(!console_readable());
	harness_wait = move;
	EQUAL(console_read(buf, sizeof buf), 5);
	CHECK(memcmp(buf, "moved", 5) == 0);

	CHECK(!console_readable());
	waits = 0;
	harness_wait = feed;
	EQUAL(console_read(buf, sizeof buf), 4);
	CHECK(memcmp(buf, "late", 4) == 0);
	EQUAL(console_read(buf, sizeof buf), 0);
	EQUAL(MIG_CTL->pending, 0);
	/* The end is remembered where the next host does not say it. */
	console_take();
	MIG_CTL->in_eof = 0;
	EQUAL(console_read(buf, sizeof buf), 0);
	EQUAL(waits, 2);
}
