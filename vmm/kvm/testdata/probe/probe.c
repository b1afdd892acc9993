/*
 * A guest that does one thing to the machine it runs on: mig_ctl.arg[0] says which, before
 * the first Run. What it finds it leaves in portable memory, in result.
 */
#include "host_abi.h"

/* The numbers are those of machine_test.go. */
enum {
	RING = 1, SPIN, WALK, COUNTER, VECTOR, FLOAT, REGISTERS, TOUCH,
	READ_NULL = 20, WRITE_TEXT, WRITE_RODATA, RUN_DATA, RUN_STACK, JUMP_WILD, DIVIDE, UNDEFINED,
	SYSTEM_CALL, BREAKPOINT, PRIVILEGED, STACK, THREAD_STACK, READ_MONITOR, WRITE_GATE,
	READ_DOORBELL, PAIR_DOORBELL, NOT_CANONICAL,
};

struct {
	uint64_t value[16];
} result;
static const int constant = 7;
__attribute__((section(".private"))) static uint64_t private_word = 42;
static uint64_t area[512 * 1024 / 8]; /* bss: pages of 4 KiB and behind them nothing */

static void gate(void) { ((void (*)(void))MIG_GATE_BASE)(); }

static void ring(uint32_t op, uint64_t a0)
{
	MIG_CTL->op = op;
	MIG_CTL->arg[0] = a0;
	gate();
}

static uint64_t counter(void)
{
	uint64_t c;
#if defined(__x86_64__)
	uint32_t low, high;
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	c = (uint64_t)high << 32 | low;
#else
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(c));
#endif
	return c;
}

/* Each op rings once more with what the host answered to the one before. */
static void do_ring(void)
{
	for (uint64_t i = 0;; i++) {
		result.value[i % 16] = i * private_word;
		ring(1000 + i, MIG_CTL->ret);
	}
}

/* Touches the whole of portable memory behind the static data. */
static void walk(void)
{
	uint64_t end = MIG_PORTABLE_BASE + MIG_CTL->arg[1], sum = 0;
	for (uint64_t p = MIG_PORTABLE_BASE + 0x100000; p < end; p += MIG_PAGE_SIZE) {
		sum += *(volatile uint64_t *)p;
		*(volatile uint64_t *)(p + 8) = p;
	}
	result.value[0] = sum;
	ring(1, 0);
}

/* Adds one to the word whose address the host answers with, and rings with its value. An odd
   address is only read. */
static void touch(void)
{
	for (uint64_t found = 0;;) {
		ring(1, found);
		uint64_t address = MIG_CTL->ret;
		volatile uint64_t *word = (uint64_t *)(address & ~1UL);
		found = address & 1 ? *word : ++*word;
	}
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void vector512(void)
{
	__asm__ volatile("vpternlogd $0xff, %%zmm31, %%zmm31, %%zmm31; vmovdqu64 %%zmm31, %0" : "=m"(result) : : "memory");
}
__attribute__((target("avx2"))) static void vector256(void)
{
	__asm__ volatile("vpcmpeqd %%ymm15, %%ymm15, %%ymm15; vmovdqu %%ymm15, %0" : "=m"(result) : : "xmm15", "memory");
}
#endif

/* arg[1]: bits of the widest vector to use. */
static void vector(void)
{
#if defined(__x86_64__)
	if (MIG_CTL->arg[1] == 512)
		vector512();
	if (MIG_CTL->arg[1] == 256)
		vector256();
#else
	__asm__ volatile("movi v31.16b, #0xff; str q31, %0" : "=Q"(result) : : "v31", "memory");
#endif
	ring(1, 0);
}

/* Rounding, inexact results, a denormal and an infinity, none of which traps. */
static void floating(void)
{
	volatile double tiny = 0x1p-1074, zero = 0, one = 1, three = 3;
	union { double d; uint64_t u; } r[3] = {{one / three}, {one / zero}, {tiny / 2 + tiny}};
	for (int i = 0; i < 3; i++)
		result.value[i] = r[i].u;
	ring(1, 0);
}

/* Known values in all registers, then a fault. */
static void registers(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"mov $100, %eax; mov $101, %edx; mov $102, %ecx; mov $103, %ebx; mov $104, %esi; mov $105, %edi\n"
		"mov $106, %ebp; mov $0x10c0, %esp; mov $108, %r8d; mov $109, %r9d; mov $110, %r10d; mov $111, %r11d\n"
		"mov $112, %r12d; mov $113, %r13d; mov $114, %r14d; mov $115, %r15d\n"
		"ud2");
#else
	__asm__ volatile(
		".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
		"mov x\\n, #(100 + \\n)\n"
		".endr\n"
		"mov x0, #0x10c0; mov sp, x0; mov x0, #100\n"
		"udf #0");
#endif
}

static int deep(volatile char *below)
{
	volatile char here[8192];
	here[0] = 1;
	if (!below[0]) /* never */
		return 0;
	return deep(here) + here[0];
}

static void on_thread_stack(void)
{
	result.value[0] = 1; /* not zero, see deep */
	uint64_t top = MIG_STACK_BASE + MIG_STACK_STRIDE;
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp; call *%1" : : "r"(top), "r"(deep), "D"(&result) : "memory");
#else
	register void *arg __asm__("x0") = &result;
	__asm__ volatile("mov sp, %0; blr %1" : : "r"(top), "r"(deep), "r"(arg) : "memory");
#endif
}

static void call(uint64_t address)
{
	void (*volatile f)(void) = (void (*)(void))address;
	f();
}

static void crash(uint64_t how)
{
	volatile int zero = 0, one = 1;
	char on_stack[16];
	switch (how) {
	case READ_NULL: result.value[0] = *(volatile int *)0; break;
	case WRITE_TEXT: *(volatile int *)call = 1; break;
	case WRITE_RODATA: *(volatile int *)&constant = 1; break;
	case RUN_DATA: call((uint64_t)area); break;
	case RUN_STACK: call((uint64_t)on_stack); break;
	case JUMP_WILD: call(0x12345678); break;
	case DIVIDE: result.value[0] = one / zero; break;
	case STACK: result.value[0] = 1; deep((volatile char *)&result); break;
	case THREAD_STACK: on_thread_stack(); break;
	case READ_MONITOR: result.value[0] = *(volatile int *)0x7f00000000; break;
	case WRITE_GATE: *(volatile int *)MIG_GATE_BASE = 1; break;
	case READ_DOORBELL: result.value[0] = *(volatile int *)MIG_DOORBELL_BASE; break;
	case NOT_CANONICAL: *(volatile int *)0x8000000000000000 = 1; break;
#if defined(__x86_64__)
	case UNDEFINED: __asm__ volatile("ud2"); break;
	case SYSTEM_CALL: __asm__ volatile("syscall"); break;
	case BREAKPOINT: __asm__ volatile("int3"); break;
	case PRIVILEGED: __asm__ volatile("out %al, $0x80"); break;
#else
	case UNDEFINED: __asm__ volatile("udf #0"); break;
	case SYSTEM_CALL: __asm__ volatile("svc #0"); break;
	case BREAKPOINT: __asm__ volatile("brk #1"); break;
	case PRIVILEGED: __asm__ volatile("mrs x0, sctlr_el1" : : : "x0"); break;
	case PAIR_DOORBELL: __asm__ volatile("stp xzr, xzr, [%0]" : : "r"(MIG_DOORBELL_BASE)); break;
#endif
	}
}

void _start(void)
{
	uint64_t what = MIG_CTL->arg[0];
	switch (what) {
	case RING: do_ring(); break;
	case SPIN: for (volatile uint64_t *n = result.value;; ++*n); break;
	case WALK: walk(); break;
	case COUNTER: for (;;) { result.value[0] = counter(); ring(1, 0); } break;
	case VECTOR: vector(); break;
	case FLOAT: floating(); break;
	case REGISTERS: registers(); break;
	case TOUCH: touch(); break;
	default: crash(what);
	}
	ring(0xdead, what); /* the host had reason not to come here */
	for (;;);
}
