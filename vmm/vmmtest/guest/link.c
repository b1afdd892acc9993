#include "guest.h"

/* Whether the host was told that the guest stands on a stack again after a move. */
PRIVATE static int announced = 1;

int64_t ring(uint32_t op, uint64_t a0, uint64_t a1, uint64_t a2)
{
	MIG_CTL->op = op;
	MIG_CTL->arg[0] = a0;
	MIG_CTL->arg[1] = a1;
	MIG_CTL->arg[2] = a2;
	((void (*)(void))MIG_GATE_BASE)();
	return MIG_CTL->ret;
}

static void put_ring(uint32_t at, const void *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		MIG_OUT_RING->data[(at + i) % MIG_RING_SIZE] = ((const uint8_t *)from)[i];
}

void print(uint32_t stream, const char *text, uint32_t n)
{
	while (n) {
		uint32_t part = n < 0x4000 ? n : 0x4000;
		uint32_t head = MIG_OUT_RING->head, header = stream << 24 | part;
		while (MIG_RING_SIZE - (head - __atomic_load_n(&MIG_OUT_RING->tail, __ATOMIC_ACQUIRE)) < part + 4)
			ring(MIG_OP_FLUSH, 1, 0, 0);
		put_ring(head, &header, 4);
		put_ring(head + 4, text, part);
		__atomic_store_n(&MIG_OUT_RING->head, head + 4 + part, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (MIG_OUT_RING->tail == head)
			ring(MIG_OP_FLUSH, 0, 0, 0);
		text += part;
		n -= part;
	}
}

/* Nothing outlives a move but portable variables, so there is nothing to save: come back
   by running from the top. The call nests on the old stack only when a move is called off
   or comes back, and so rarely. */
static _Noreturn void leave(void)
{
	MIG_CTL->left_threads = 1;
	MIG_CTL->left_frames = 1;
	MIG_CTL->left_bytes = 8;
	ring(MIG_OP_LEFT, 0, 0, 0);
	announced = 0;
	__attribute__((noreturn)) void enter(void *stack);
	enter((void *)(MIG_CPU_STACK_BASE + MIG_CPU_STACK_SIZE - 64));
}

/* Before whatever a guest does first after a move: it may be to wait again. */
static void announce(void)
{
	if (!announced) {
		announced = 1;
		ring(MIG_OP_RESUMED, 0, 0, 0);
	}
}

static void wait_until(uint64_t mono)
{
	announce();
	ring(MIG_OP_WAIT, mono, 0, 0);
}

void point(void)
{
	uint32_t pending = MIG_CTL->pending;
	announce();
	if (pending & MIG_PEND_COUNT) {
		if (++MIG_CTL->points == MIG_CTL->countdown)
			pending |= MIG_PEND_MIGRATE;
	}
	if (pending & MIG_PEND_STOP)
		ring(MIG_OP_EXIT, 0, 15, 0);
	if (pending & MIG_PEND_MIGRATE)
		leave();
}

int read_input(char *to, uint32_t n)
{
	for (;;) {
		__atomic_fetch_and(&MIG_CTL->pending, ~MIG_PEND_INPUT, __ATOMIC_SEQ_CST);
		uint32_t tail = MIG_IN_RING->tail, eof = MIG_CTL->in_eof;
		uint32_t have = __atomic_load_n(&MIG_IN_RING->head, __ATOMIC_ACQUIRE) - tail;
		if (have) {
			if (have < n)
				n = have;
			for (uint32_t i = 0; i < n; i++)
				to[i] = MIG_IN_RING->data[(tail + i) % MIG_RING_SIZE];
			__atomic_store_n(&MIG_IN_RING->tail, tail + n, __ATOMIC_RELEASE);
			return n;
		}
		if (eof)
			return 0;
		wait_until(~0UL);
		point();
	}
}

uint64_t mono_now(void)
{
	ring(MIG_OP_CLOCK, 0, 0, 0);
	return MIG_CTL->clock_mono;
}

void sleep_until(uint64_t mono)
{
	while (mono_now() < mono) {
		wait_until(mono);
		point();
	}
}

_Noreturn void exit_with(int code)
{
	ring(MIG_OP_EXIT, code, 0, 0);
	__builtin_trap();
}

/* The ELF entry point: both for a start and for a resume. */
_Noreturn void _start(void)
{
	if (MIG_CTL->abi_version != MIG_ABI_VERSION)
		exit_with(99);
	announced = MIG_CTL->boot == MIG_BOOT_START;
	run();
}

/* enter(stack): run() on a fresh machine stack. */
__asm__(".globl enter\nenter:\n"
#if defined(__x86_64__)
	"mov %rdi, %rsp\n"
	"push $0\n"
	"jmp run\n"
#elif defined(__aarch64__)
	"mov sp, x0\n"
	"mov x30, #0\n"
	"b run\n"
#endif
);
