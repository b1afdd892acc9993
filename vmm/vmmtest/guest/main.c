#include "guest.h"

/* All that a move carries. */
static uint64_t step; /* of the job: iterations done, or where it stands */
static uint64_t sum;
static uint64_t deadline;
static char line[4096];
static uint32_t line_length;
static char greeting[] = "hello from initial data\n";

/* The boot blob stays where it is. */
const char *argument(uint32_t i)
{
	const char *p = (const char *)MIG_CTL->blob;
	static const char *blob; /* the control page of a resumed guest does not name it */
	if (MIG_CTL->boot == MIG_BOOT_START && !blob)
		blob = p;
	uint32_t argc, n;
	memcpy(&argc, blob, 4);
	if (i >= argc)
		return "";
	for (p = blob + 4; ; p += 4 + n + 1) {
		memcpy(&n, p, 4);
		if (i-- == 0)
			return p + 4;
	}
}

/* hello: output on both streams. */
static void hello(void)
{
	put(greeting);
	print(MIG_STREAM_STDERR, "and an error\n", 13);
	exit_with(7);
}

/* count N [wait]: N migration points, a line every hundredth; and the end of the input. */
static void count(void)
{
	uint64_t n = number(argument(2));
	while (step < n) {
		step++;
		sum = sum * 6364136223846793005u + step;
		if (step % 100 == 0)
			put_number(sum);
		point();
	}
	while (equal(argument(3), "wait") && read_input(line, sizeof line))
		point();
	put_number(sum);
	exit_with(sum & 63);
}

/* paint P N: N writes to P pages, and what became of them. */
static void paint(void)
{
	uint64_t pages = number(argument(2)), n = number(argument(3));
	volatile uint64_t *area = (uint64_t *)(MIG_PORTABLE_BASE + 0x100000); /* behind all that is static */
	if (!step)
		put("painting\n");
	while (step < n) {
		uint64_t r = ++step * 0x9e3779b97f4a7c15u;
		area[(r >> 32) % (pages * MIG_PAGE_SIZE / 8)] += r;
		point();
	}
	for (uint64_t i = 0; i < pages * MIG_PAGE_SIZE / 8; i++)
		sum = sum * 31 + area[i];
	put_number(sum);
	exit_with(sum & 63);
}

/* forget N: counts where a move does not reach. */
static void forget(void)
{
	PRIVATE static uint64_t kept;
	uint64_t n = number(argument(2));
	for (; step < n; step++, kept++)
		point();
	put_number(kept);
	exit_with(0);
}

/* stale N: counts, and then looks at what it left on the first thread's machine stack. */
static void stale(void)
{
	volatile uint64_t *left = (uint64_t *)(MIG_STACK_BASE + MIG_STACK_STRIDE - 64);
	uint64_t n = number(argument(2));
	if (step == 0)
		*left = n;
	for (; step < n; step++)
		point();
	put_number(*left);
	exit_with(0);
}

/* flood N: N lines of output without a pause. */
static void flood(void)
{
	uint64_t n = number(argument(2));
	for (; step < n; step++)
		put_number(step);
	exit_with(0);
}

/* cat: input to output. Between a read and its print there is no migration point. */
static void cat(void)
{
	for (;;) {
		point();
		line_length = read_input(line, sizeof line);
		if (!line_length)
			exit_with(0);
		print(MIG_STREAM_STDOUT, line, line_length);
	}
}

/* sleep N: N ms, then a line. */
static void do_sleep(void)
{
	if (!deadline) {
		put("asleep\n");
		deadline = mono_now() + number(argument(2)) * 1000000;
	}
	sleep_until(deadline);
	put("awake\n");
	exit_with(0);
}

static void spin(void)
{
	put("spinning\n");
	for (volatile int i = 0;; i++)
		;
}

static void spin_politely(void)
{
	put("spinning\n");
	for (;;)
		point();
}

/* Crashes, each some calls deep. */
__attribute__((noinline)) static void crash_null(void) { *(volatile int *)8 = 1; }
__attribute__((noinline)) static void crash_wild(void)
{
	void (*volatile f)(void) = (void (*)(void))0x123456;
	f();
	put("unreachable\n");
}
__attribute__((noinline)) static void crash_call_null(void)
{
	void (*volatile f)(void) = 0;
	f();
	put("unreachable\n");
}
__attribute__((noinline)) static void crash_canonical(void) { *(volatile int *)0x1122334455667788 = 1; }
__attribute__((noinline)) static int crash_deep(volatile char *below)
{
	volatile char here[4096];
	here[0] = below[0];
	if (here[0] == 0) /* never: it begins with a letter */
		return 0;
	return crash_deep(here) + here[0];
}
__attribute__((noinline)) static void crash_trap(void) { __builtin_trap(); }
__attribute__((noinline)) static void crash_abort(void)
{
	ring(MIG_OP_PANIC, (uint64_t) "assertion failed", 16, MIG_PANIC_ABORT);
	put("unreachable\n");
}
__attribute__((noinline)) static void crash_memory(void)
{
	ring(MIG_OP_PANIC, (uint64_t) "no memory", 9, MIG_PANIC_OOM);
	put("unreachable\n");
}

static int stack_overflow(void *unused)
{
	(void)unused;
	return crash_deep((volatile char *)greeting);
}

/* on_stack(f, stack): f on another machine stack, never to return. */
_Noreturn void on_stack(int (*f)(void *), void *stack);
__asm__(".globl on_stack\non_stack:\n"
#if defined(__x86_64__)
	"mov %rsi, %rsp\n"
	"push $0\n"
	"jmp *%rdi\n"
#elif defined(__aarch64__)
	"mov sp, x1\n"
	"mov x30, #0\n"
	"br x0\n"
#endif
);

__attribute__((noinline)) static void crash(const char *how)
{
	if (equal(how, "null"))
		crash_null();
	if (equal(how, "wild"))
		crash_wild();
	if (equal(how, "call-null"))
		crash_call_null();
	if (equal(how, "canonical"))
		crash_canonical();
	if (equal(how, "stack"))
		on_stack(stack_overflow, (void *)(MIG_STACK_BASE + 2 * MIG_STACK_STRIDE));
	if (equal(how, "trap"))
		crash_trap();
	if (equal(how, "abort"))
		crash_abort();
	if (equal(how, "memory"))
		crash_memory();
	put("back from a crash\n");
}

/* What no guest may do to its host. */
static void misbehave(const char *how)
{
	if (equal(how, "head"))
		MIG_OUT_RING->head = MIG_OUT_RING->tail + MIG_RING_SIZE + 1;
	if (equal(how, "frame")) {
		uint32_t header = 1u << 24 | 0x4000;
		memcpy(MIG_OUT_RING->data, &header, 4);
		MIG_OUT_RING->head = 100;
	}
	if (equal(how, "stream")) {
		uint32_t header = 9u << 24 | 1;
		memcpy(MIG_OUT_RING->data, &header, 4);
		MIG_OUT_RING->head = 5;
	}
	if (equal(how, "tail"))
		MIG_IN_RING->tail = 0x80000000;
	if (equal(how, "operation"))
		ring(1234, 0, 0, 0);
	if (equal(how, "message"))
		ring(MIG_OP_LOG, 0x6f00000000 - 8, ~0UL, 0);
	ring(MIG_OP_FLUSH, 1, 0, 0);
	sleep_until(~0UL - 1);
}

_Noreturn void run(void)
{
	static const char *mode;
	if (!mode)
		mode = argument(1);
	if (equal(mode, "hello"))
		hello();
	if (equal(mode, "count"))
		count();
	if (equal(mode, "paint"))
		paint();
	if (equal(mode, "forget"))
		forget();
	if (equal(mode, "stale"))
		stale();
	if (equal(mode, "flood"))
		flood();
	if (equal(mode, "cat"))
		cat();
	if (equal(mode, "sleep"))
		do_sleep();
	if (equal(mode, "spin"))
		spin();
	if (equal(mode, "spin-politely"))
		spin_politely();
	if (equal(mode, "crash"))
		crash(argument(2));
	if (equal(mode, "misbehave"))
		misbehave(argument(2));
	if (equal(mode, "log"))
		ring(MIG_OP_LOG, (uint64_t) "a word to the operator", 22, 0);
	exit_with(100);
}
