/* The console: standard input from the input ring, standard output and error as frames in
   the output ring. What the ring holds when the guest leaves goes to a buffer of its own,
   which is read first. */
#include "kernel.h"

#define FRAME_MAX 0x4000u /* host_abi.h */
#define FRAME_HEADER 4u

static uint8_t *kept;          /* input that was taken from a ring left behind */
static size_t kept_start, kept_end, kept_capacity;
static bool ended;             /* nothing will follow what is kept */

/* Copies n bytes of a ring from index at on. */
static void ring_get(const struct mig_ring *ring, uint32_t at, void *to, uint32_t n)
{
	uint32_t offset = at % MIG_RING_SIZE, head = MIG_RING_SIZE - offset;
	if (head > n)
		head = n;
	memcpy(to, ring->data + offset, head);
	memcpy((uint8_t *)to + head, ring->data, n - head);
}

static void ring_put(struct mig_ring *ring, uint32_t at, const void *from, uint32_t n)
{
	uint32_t offset = at % MIG_RING_SIZE, head = MIG_RING_SIZE - offset;
	if (head > n)
		head = n;
	memcpy(ring->data + offset, from, head);
	memcpy(ring->data, (const uint8_t *)from + head, n - head);
}

/* Takes up to n bytes from the input ring. */
static uint32_t input_take(void *to, size_t n)
{
	struct mig_ring *ring = MIG_IN_RING;
	uint32_t tail = ring->tail;
	uint32_t have = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail;
	if (have > n)
		have = n;
	if (have) {
		ring_get(ring, tail, to, have);
		__atomic_store_n(&ring->tail, tail + have, __ATOMIC_RELEASE);
	}
	return have;
}

static uint32_t input_waiting(void)
{
	return __atomic_load_n(&MIG_IN_RING->head, __ATOMIC_ACQUIRE) - MIG_IN_RING->tail;
}

/* The flag is set behind the last byte, so it is read before the ring is. */
static bool input_ended(void)
{
	return __atomic_load_n(&MIG_CTL->in_eof, __ATOMIC_ACQUIRE) != 0;
}

void console_take(void)
{
	bool end = input_ended();
	uint32_t more = input_waiting();
	if (more) {
		size_t held = kept_end - kept_start;
		if (held + more > kept_capacity) {
			size_t wider = PAGES(held + more) * PAGE;
			uint8_t *p = page_alloc(wider / PAGE);
			if (!p)
				panic_out_of_memory("no memory for input that waits to be read");
			if (kept) {
				memcpy(p, kept + kept_start, held);
				page_free(kept, kept_capacity / PAGE);
			}
			kept = p;
			kept_capacity = wider;
		} else {
			memmove(kept, kept + kept_start, held);
		}
		kept_start = 0;
		kept_end = held + input_take(kept + held, more);
	}
	ended |= end;
}

size_t console_waiting(void)
{
	return kept_end - kept_start + input_waiting();
}

bool console_readable(void)
{
	return console_waiting() || ended || input_ended();
}

static size_t kept_read(void *buf, size_t n)
{
	size_t have = kept_end - kept_start;
	if (n > have)
		n = have;
	if (n == 0)
		return 0;
	memcpy(buf, kept + kept_start, n);
	kept_start += n;
	if (kept_start == kept_end) {
		page_free(kept, kept_capacity / PAGE);
		kept = NULL;
		kept_start = kept_end = kept_capacity = 0;
	}
	return n;
}

int64_t console_read(void *buf, size_t n)
{
	if (n == 0)
		return 0;
	uint64_t interrupted = thread_interrupted();
	for (;;) {
		size_t got = kept_read(buf, n);
		if (got || ended)
			return got;
		bool end = input_ended();
		got = input_take(buf, n);
		if (got)
			return got;
		if (end)
			return 0;
		wait_for(&console_input, FOREVER);
		if (thread_interrupted() != interrupted && !console_readable())
			return -EINTR;
	}
}

/* One frame, as long as fits; 0: the ring is full. */
static size_t output_frame(uint32_t stream, const uint8_t *p, size_t n)
{
	struct mig_ring *ring = MIG_OUT_RING;
	uint32_t head = ring->head;
	uint32_t room = MIG_RING_SIZE - (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE));
	if (room <= FRAME_HEADER)
		return 0;
	if (n > FRAME_MAX)
		n = FRAME_MAX;
	if (n > room - FRAME_HEADER)
		n = room - FRAME_HEADER;
	uint32_t frame = stream << 24 | (uint32_t)n;
	ring_put(ring, head, &frame, FRAME_HEADER);
	ring_put(ring, head + FRAME_HEADER, p, n);
	__atomic_store_n(&ring->head, head + FRAME_HEADER + (uint32_t)n, __ATOMIC_RELEASE);
	/* Either the host sees the new head before it goes idle, or this sees that it had
	   taken all and wakes it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->tail == head)
		__mig_ring(MIG_OP_FLUSH, 0, 0, 0, 0);
	return n;
}

void console_write(uint32_t stream, const void *buf, size_t n)
{
	const uint8_t *p = buf;
	while (n > 0) {
		size_t sent = output_frame(stream, p, n);
		if (!sent)
			__mig_ring(MIG_OP_FLUSH, 1, 0, 0, 0);
		p += sent;
		n -= sent;
	}
}
