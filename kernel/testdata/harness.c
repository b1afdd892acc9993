#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "harness.h"
#include "host_abi.h"
#include "native.h"

void (*harness_wait)(uint64_t deadline);
char harness_log[256];
int harness_logs;
uint64_t harness_now = 1000;
uint64_t harness_alarm;
uint64_t harness_seed;

static char output[4][1 << 22];
static size_t output_len[4];

void harness_fail(const char *file, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static void map(uint64_t addr, uint64_t size)
{
	void *p = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	if (p != (void *)addr)
		harness_fail(__FILE__, __LINE__, "cannot map %#lx", addr);
}

void harness_map(uint64_t size)
{
	map(MIG_CTL_BASE, MIG_PAGE_SIZE);
	map(MIG_OUT_RING_BASE, sizeof(struct mig_ring));
	map(MIG_IN_RING_BASE, sizeof(struct mig_ring));
	map(MIG_PORTABLE_BASE, size);
	MIG_CTL->abi_version = MIG_ABI_VERSION;
	MIG_CTL->mem_size = size;
	MIG_CTL->static_end = MIG_PORTABLE_BASE;
	MIG_CTL->clock_mult = 1ull << 32; /* a tick a nanosecond */
	MIG_CTL->clock_real = 1700000000000000000;
	memset(MIG_CTL->seed, 0x5a, sizeof MIG_CTL->seed);
}

static uint8_t ring_byte(const struct mig_ring *ring, uint32_t at)
{
	return ring->data[at % MIG_RING_SIZE];
}

static void drain(void)
{
	struct mig_ring *ring = MIG_OUT_RING;
	while (ring->tail != ring->head) {
		uint32_t frame = 0;
		for (int i = 0; i < 4; i++)
			frame |= (uint32_t)ring_byte(ring, ring->tail + i) << 8 * i;
		uint32_t stream = frame >> 24, n = frame & 0xffffff;
		if (stream < 1 || stream > 2 || n > 0x4000 || n + 4 > ring->head - ring->tail)
			harness_fail(__FILE__, __LINE__, "bad frame %#x", frame);
		for (uint32_t i = 0; i < n && output_len[stream] < sizeof output[0] - 1; i++)
			output[stream][output_len[stream]++] = ring_byte(ring, ring->tail + 4 + i);
		ring->tail += 4 + n;
	}
}

const char *harness_output(int stream)
{
	drain();
	output[stream][output_len[stream]] = 0;
	output_len[stream] = 0;
	return output[stream];
}

size_t harness_input(const void *p, size_t n)
{
	struct mig_ring *ring = MIG_IN_RING;
	size_t room = MIG_RING_SIZE - (ring->head - ring->tail), put = n < room ? n : room;
	for (size_t i = 0; i < put; i++)
		ring->data[(ring->head + i) % MIG_RING_SIZE] = ((const uint8_t *)p)[i];
	ring->head += put;
	return put;
}

/* What native code gives the kernel. */

void __mig_poll_gap(void)
{
}

int64_t __mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	(void)arg2, (void)arg3;
	switch (op) {
	case MIG_OP_FLUSH:
		if (arg0)
			drain();
		break;
	case MIG_OP_WAIT:
		if (!harness_wait)
			harness_fail(__FILE__, __LINE__, "unexpected wait");
		harness_wait(arg0);
		break;
	case MIG_OP_ALARM:
		harness_alarm = arg0;
		break;
	case MIG_OP_LOG:
		snprintf(harness_log, sizeof harness_log, "%.*s", (int)arg1, (const char *)arg0);
		harness_logs++;
		break;
	case MIG_OP_EXIT:
		printf("exit %d signal %d\n", (int)arg0, (int)arg1);
		exit(0);
	case MIG_OP_PANIC:
		printf("panic %.*s\n", (int)arg1, (const char *)arg0);
		exit(0);
	}
	return 0;
}

uint64_t __mig_counter(void)
{
	return harness_now;
}

void __mig_leave(void)
{
}

/* Some tests are of parts that know no threads. */
#pragma weak __mig_schedule
#pragma weak __mig_thread_is_new
#pragma weak __mig_thread_gone

#define THREADS 16
#define STACK (256 << 10)

static ucontext_t contexts[THREADS];
static char *stacks[THREADS];
static int64_t running;

void (*harness_thread)(void);

/* What a CPU's loop does, on the stack of the thread that goes. */
static void run_next(bool goes_for_good)
{
	int64_t from = running, to = __mig_schedule();
	if (to < 0 || to >= THREADS)
		harness_fail(__FILE__, __LINE__, "thread %d is to run", (int)to);
	running = to;
	if (__mig_thread_is_new()) {
		if (!stacks[to])
			stacks[to] = malloc(STACK);
		getcontext(&contexts[to]);
		contexts[to].uc_stack.ss_sp = stacks[to];
		contexts[to].uc_stack.ss_size = STACK;
		makecontext(&contexts[to], harness_thread, 0);
	} else if (to == from) {
		return;
	}
	if (goes_for_good)
		setcontext(&contexts[to]);
	swapcontext(&contexts[from], &contexts[to]);
}

void __mig_switch(void)
{
	run_next(false);
}

/* Nor do tests jump. */
void __mig_jump(uint64_t *buf, int value)
{
	(void)buf, (void)value;
	abort();
}

/* A stack is not used again before its thread is off it: tests do not make a thread meanwhile. */
void __mig_end(void)
{
	__mig_thread_gone();
	run_next(true);
	abort();
}

int main(int argc, char **argv)
{
	harness_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	test();
	puts("ok");
	return 0;
}
