/* Threads, one for now, and what a CPU's loop asks about them. All state of a thread is
   here: its machine stack holds nothing once it has left. */
#include "kernel.h"

enum state {
	NEW,     /* has never run */
	LEFT,    /* has records alone, until the next resume */
	READY,   /* may get a machine stack */
	RUNNING, /* has one */
};

struct thread {
	enum state state;
	char *shadow_stack;  /* __mig_ssp while it does not run */
	char *shadow_limit;  /* lowest address of its shadow stack */
	void *thread_local;  /* __mig_tp */
	void *arguments;     /* argc, argv, envp, auxv as on a Unix stack */
};

static struct thread first;
static bool resumed; /* RESUMED is still to be rung */

/* Of the running thread; compiled code uses them by name (docs/runtime-abi.md). */
NATIVE_CALLS char *__mig_ssp;
NATIVE_CALLS char *__mig_tp;
NATIVE_CALLS uint64_t __mig_epoch;
NATIVE_CALLS uint64_t __mig_fid;
NATIVE_CALLS unsigned char __mig_result[256] __attribute__((aligned(16)));

extern int main(int argc, char **argv, char **envp);
int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void),
		      void (*)(void), void (*)(void));

void thread_init(void *shadow_stack_end, void *shadow_stack, void *arguments)
{
	first = (struct thread){
		.state = NEW,
		.shadow_stack = shadow_stack_end,
		.shadow_limit = shadow_stack,
		.arguments = arguments,
	};
	__mig_epoch = 1;
}

/* The first thread's shadow stack has no memory below it and faults by itself, but for a frame
   that goes over what lies there. */
void thread_check_stack(void)
{
	if (__mig_ssp < first.shadow_limit)
		panic_stack_overflow();
}

/* main may have two parameters or none: called directly, the third is dropped. */
static int run_main(int argc, char **argv, char **envp)
{
	return main(argc, argv, envp);
}

NATIVE_CALLS void __mig_thread_main(void)
{
	long *arguments = first.arguments;
	__libc_start_main(run_main, arguments[0], (char **)(arguments + 1), NULL, NULL, NULL);
}

NATIVE_CALLS int64_t __mig_schedule(void)
{
	return first.state == LEFT ? MIG_ALL_LEFT : 0;
}

NATIVE_CALLS bool __mig_thread_is_new(void)
{
	bool is_new = first.state == NEW;
	if (first.state != RUNNING) { /* else its driver only begins again */
		__mig_ssp = first.shadow_stack;
		__mig_tp = first.thread_local;
	}
	first.state = RUNNING;
	if (resumed) {
		resumed = false;
		__mig_ring(MIG_OP_RESUMED, 0, 0, 0, 0);
	}
	return is_new;
}

NATIVE_CALLS void __mig_leave_begin(void)
{
	thread_check_stack();
	records_leave_begin();
}

NATIVE_CALLS void __mig_leave_end(void)
{
	records_leave_end();
	first.shadow_stack = __mig_ssp;
	first.thread_local = __mig_tp;
	first.state = LEFT;
}

NATIVE_CALLS void __mig_all_left(void)
{
	console_take();
	records_report();
	MIG_CTL->left_threads = 1;
	MIG_CTL->left_mono = clock_mono();
	__mig_ring(MIG_OP_LEFT, 0, 0, 0, 0);
}

NATIVE_CALLS void __mig_resume(void)
{
	__mig_epoch++;
	random_reseed();
	first.state = READY;
	resumed = true;
}

NATIVE_CALLS void __mig_thread_ended(void)
{
	__mig_panic("the main thread has no frames left");
}
