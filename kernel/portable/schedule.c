/* What a CPU runs next. A CPU's loop (native/cpu.c) asks for a thread and switches to it; a
   thread that waits, or whose time slice has ended, switches back. */
#include "thread.h"

/* What belongs to one CPU. */
struct cpu {
	struct thread *running;  /* or that ran last; NULL: it has ended */
	struct thread *ready;    /* first in, first out */
	struct thread *ready_last;
	uint64_t since;          /* mono ns: it runs, or nobody does, since then */
};

#define CPUS 1
static struct cpu cpus[CPUS] = {{.running = &thread_first}};
static bool is_leaving; /* every thread is to leave its machine stack */
static bool resumed;    /* RESUMED is still to be rung */

static struct cpu *this_cpu(void)
{
	return &cpus[0];
}

struct thread *thread_current(void)
{
	return this_cpu()->running;
}

static void put_last(struct cpu *cpu, struct thread *t)
{
	t->next = NULL;
	if (cpu->ready)
		cpu->ready_last->next = t;
	else
		cpu->ready = t;
	cpu->ready_last = t;
}

static void put_first(struct cpu *cpu, struct thread *t)
{
	t->next = cpu->ready;
	if (!cpu->ready)
		cpu->ready_last = t;
	cpu->ready = t;
}

static struct thread *take_first(struct cpu *cpu)
{
	struct thread *t = cpu->ready;
	if (t)
		cpu->ready = t->next;
	return t;
}

void thread_add(struct thread *t)
{
	struct cpu *cpu = this_cpu();
	t->state = THREAD_READY;
	put_last(cpu, t);
	/* Whoever runs has to share the CPU from now on. */
	if (cpu->running && cpu->running->state == THREAD_RUNNING)
		alarm_set();
}

void thread_forget(struct thread *t)
{
	if (this_cpu()->running == t)
		this_cpu()->running = NULL;
}

void thread_wake(struct thread *t)
{
	if (t->state != THREAD_BLOCKED)
		return;
	t->awaits = NULL;
	t->deadline = FOREVER;
	thread_add(t);
}

bool thread_others_ready(void)
{
	return this_cpu()->ready != NULL;
}

static void keep_registers(struct thread *t)
{
	t->shadow_stack = __mig_ssp;
	t->thread_local = __mig_tp;
}

/* To the CPU's loop, and back when this thread's turn comes: to run, or to leave. One that has
   left comes back from __mig_leave. */
static void switch_away(struct thread *t)
{
	thread_check_stack();
	keep_registers(t);
	__mig_switch();
	if (is_leaving)
		__mig_leave();
}

void thread_block(uint64_t deadline)
{
	struct thread *t = thread_current();
	t->state = THREAD_BLOCKED;
	t->deadline = deadline;
	alarm_before(deadline);
	switch_away(t);
}

void thread_yield(void)
{
	struct thread *t = thread_current();
	t->state = THREAD_READY;
	put_last(this_cpu(), t);
	switch_away(t);
}

void leave_all(void)
{
	is_leaving = true;
}

bool leaving(void)
{
	return is_leaving;
}

/* Nobody is ready: waits for the host, or for what is due. */
static void idle(void)
{
	uint64_t before = clock_mono();
	__mig_ring(MIG_OP_WAIT, alarm_earliest(), 0, 0, 0);
	uint64_t after = clock_mono();
	clock_idle(after - before);
	this_cpu()->since = after;
	take_pending();
	if (!is_leaving)
		alarm_expire();
}

static struct thread *any_on_stack(void)
{
	for (int i = 0; i < threads_end(); i++) {
		struct thread *t = thread_at(i);
		if (t && t->on_stack)
			return t;
	}
	return NULL;
}

/* NULL: all have left. A thread that is to leave stays ready or blocked, as it is. */
static struct thread *next_thread(struct cpu *cpu)
{
	for (;;) {
		if (is_leaving)
			return any_on_stack();
		struct thread *t = take_first(cpu);
		if (t) {
			t->state = THREAD_RUNNING;
			alarm_set();
			return t;
		}
		idle();
	}
}

/* A guest without a counter would have to ask its host at each change of threads. */
static bool counts_time(void)
{
	return MIG_CTL->clock_mult != 0;
}

static void count_time(struct cpu *cpu)
{
	if (!counts_time())
		return;
	uint64_t now = clock_mono();
	if (cpu->running)
		cpu->running->ran += now - cpu->since;
	cpu->since = now;
}

uint64_t thread_run_time(const struct thread *t)
{
	const struct cpu *cpu = this_cpu();
	if (!counts_time())
		return clock_run_time();
	return t->ran + (t == cpu->running ? clock_mono() - cpu->since : 0);
}

NATIVE_CALLS int64_t __mig_schedule(void)
{
	struct cpu *cpu = this_cpu();
	count_time(cpu);
	if (resumed) {
		resumed = false;
		__mig_ring(MIG_OP_RESUMED, 0, 0, 0, 0);
	}
	struct thread *t = next_thread(cpu);
	if (!t)
		return MIG_ALL_LEFT;
	cpu->running = t;
	t->on_stack = true;
	MIG_CTL->records = (uint64_t)&t->records;
	__mig_ssp = t->shadow_stack;
	__mig_ssp_limit = thread_stack_limit(t, t->shadow_stack);
	__mig_tp = t->thread_local;
	return t->number;
}

NATIVE_CALLS bool __mig_thread_is_new(void)
{
	struct thread *t = thread_current();
	bool is_new = t->is_new;
	t->is_new = false;
	return is_new;
}

NATIVE_CALLS void __mig_leave_begin(void)
{
	thread_check_stack();
	records_leave_begin();
}

NATIVE_CALLS void __mig_leave_end(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *t = cpu->running;
	records_leave_end();
	keep_registers(t);
	t->on_stack = false;
	if (t->state == THREAD_RUNNING) {
		t->state = THREAD_READY;
		put_first(cpu, t);
	}
}

NATIVE_CALLS void __mig_all_left(void)
{
	console_take();
	MIG_CTL->left_frames = 0;
	MIG_CTL->left_bytes = 0;
	MIG_CTL->left_threads = thread_count();
	for (int i = 0; i < threads_end(); i++)
		if (thread_at(i))
			records_report(&thread_at(i)->records);
	MIG_CTL->left_mono = clock_mono();
	__mig_ring(MIG_OP_LEFT, 0, 0, 0, 0);
}

NATIVE_CALLS void __mig_resume(void)
{
	__mig_epoch++;
	random_reseed();
	alarm_resumed();
	is_leaving = false;
	resumed = true;
	wake_waiters(&console_input); /* what was left of the input has come along */
	this_cpu()->since = clock_mono();
}
