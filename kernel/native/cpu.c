/* A CPU's loop, on its own stack: switches to threads on theirs, and tells the host when all
   have left them. */
#include <stddef.h>

#include "arch.h"
#include "host_abi.h"
#include "native.h"
#include "native_abi.h"

/* Why a thread's machine stack is no longer in use. */
enum { REASON_SWITCHED = 1, REASON_LEFT, REASON_RESTART, REASON_ENDED };

/* One CPU for now. Private: a machine stack is of no use elsewhere. */
static struct {
	void *stack;    /* its own stack pointer while a thread runs */
	int64_t thread; /* that runs */
} cpu;

/* Stack pointers of threads that do not run but have frames; NULL: none. */
static void *stacks[MIG_THREADS_MAX];

static void *machine_stack_end(int64_t thread)
{
	return (void *)(MIG_STACK_BASE + (thread + 1) * MIG_STACK_STRIDE);
}

_Noreturn void cpu_thread_left(void)
{
	arch_escape(cpu.stack, REASON_LEFT);
}

_Noreturn void cpu_thread_restart(void)
{
	arch_escape(cpu.stack, REASON_RESTART);
}

void __mig_switch(void)
{
	arch_switch(&stacks[cpu.thread], cpu.stack, REASON_SWITCHED);
}

_Noreturn void __mig_end(void)
{
	arch_escape(cpu.stack, REASON_ENDED);
}

/* Runs a thread until it has no more use for the CPU; says why. */
static int run(int64_t thread)
{
	void *stack = stacks[thread];
	int reason;
	cpu.thread = thread;
	stacks[thread] = NULL;
	if (stack)
		reason = arch_switch(&cpu.stack, stack, 0);
	else
		reason = arch_run(&cpu.stack, machine_stack_end(thread), driver);
	while (reason == REASON_RESTART)
		reason = arch_run(&cpu.stack, machine_stack_end(thread), driver);
	return reason;
}

/* Called by _start. */
_Noreturn void cpu_main(void)
{
	if (MIG_CTL->boot == MIG_BOOT_START)
		__mig_start();
	else
		__mig_resume();
	for (;;) {
		int64_t thread = __mig_schedule();
		if (thread == MIG_ALL_LEFT) {
			__mig_all_left(); /* returns if the move was called off */
			__mig_resume();
			continue;
		}
		int reason = run(thread);
		if (reason == REASON_LEFT)
			__mig_leave_end();
		else if (reason == REASON_ENDED)
			__mig_thread_gone();
	}
}

int64_t __mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	MIG_CTL->op = op;
	MIG_CTL->arg[0] = arg0;
	MIG_CTL->arg[1] = arg1;
	MIG_CTL->arg[2] = arg2;
	MIG_CTL->arg[3] = arg3;
	((void (*)(void))MIG_GATE_BASE)();
	return MIG_CTL->ret;
}

uint64_t __mig_counter(void)
{
	return arch_counter();
}
