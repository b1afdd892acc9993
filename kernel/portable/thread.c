/* The threads that there are: how they begin and end. */
#define _GNU_SOURCE
#include <sched.h>

#include "file.h"
#include "thread.h"

struct thread thread_first = {.id = 1, .deadline = FOREVER};
static struct thread *table[MIG_THREADS_MAX] = {&thread_first}; /* by number */
static int end = 1;   /* numbers in use are below */
static int count = 1;
static int last_id = 1;

/* Of the running thread; compiled code uses them by name (docs/runtime-abi.md). */
NATIVE_CALLS char *__mig_ssp;
NATIVE_CALLS char *__mig_ssp_limit;
NATIVE_CALLS char *__mig_tp;
NATIVE_CALLS uint64_t __mig_epoch;
NATIVE_CALLS uint64_t __mig_fid;
NATIVE_CALLS unsigned char __mig_result[256] __attribute__((aligned(16)));

void thread_init(void *shadow_stack_end, void *shadow_stack, void *arguments)
{
	thread_first = (struct thread){
		.id = 1,
		.is_new = true,
		.deadline = FOREVER,
		.shadow_stack = shadow_stack_end,
		.shadow_limit = shadow_stack,
		.arguments = arguments,
	};
	if (!records_init(&thread_first.records))
		panic_out_of_memory("no memory for frame records");
	thread_add(&thread_first);
	__mig_epoch = 1;
}

struct thread *thread_at(int number)
{
	return table[number];
}

int threads_end(void)
{
	return end;
}

int thread_count(void)
{
	return count;
}

struct thread *thread_by_id(int id)
{
	for (int i = 0; i < end; i++)
		if (table[i] && table[i]->id == id)
			return table[i];
	return NULL;
}

/* Compiled code looks by itself before it takes much of a shadow stack, and goes to a migration
   point where recursion has taken all (compiler/shadow.cpp). */
void thread_check_stack(void)
{
	if (__mig_ssp < __mig_ssp_limit)
		__mig_stack_overflow();
}

#define STACK_ALIGN 16

/* Its ends belong to what lies beside it. */
bool thread_on_signal_stack(const struct thread *t, const char *at)
{
	const char *start = t->signal_stack.ss_sp;
	return start && at > start && at < start + t->signal_stack.ss_size;
}

char *thread_signal_stack_end(const struct thread *t)
{
	uint64_t end = (uint64_t)t->signal_stack.ss_sp + t->signal_stack.ss_size;
	return (char *)(end % STACK_ALIGN ? end - end % STACK_ALIGN : end - STACK_ALIGN);
}

char *thread_stack_limit(const struct thread *t, const char *at)
{
	return thread_on_signal_stack(t, at) ? (char *)t->signal_stack.ss_sp + 1 : t->shadow_limit;
}

static int free_number(void)
{
	int n = 0;
	while (n < MIG_THREADS_MAX && table[n])
		n++;
	return n;
}

static struct thread *new_thread(void)
{
	int number = free_number();
	if (number == MIG_THREADS_MAX)
		return NULL;
	struct thread *t = kmem_alloc(sizeof *t);
	if (!t)
		return NULL;
	if (!records_init(&t->records)) {
		kmem_free(t, sizeof *t);
		return NULL;
	}
	t->number = number;
	t->id = ++last_id;
	t->is_new = true;
	t->deadline = FOREVER;
	table[number] = t;
	if (number == end)
		end++;
	count++;
	return t;
}

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

SYSCALL5(clone, unsigned long, flags, struct mig_clone *, start, int *, parent_id, char *, tls,
	 int *, child_id)
{
	if ((flags & THREAD_FLAGS) != THREAD_FLAGS)
		return no_processes("fork");
	struct thread *t = new_thread();
	if (!t)
		return -EAGAIN;
	t->start = start;
	t->shadow_stack = (char *)start;
	t->shadow_limit = start->limit;
	if (flags & CLONE_SETTLS)
		t->thread_local = tls;
	if (flags & CLONE_PARENT_SETTID)
		*parent_id = t->id;
	if (flags & CLONE_CHILD_SETTID)
		*child_id = t->id;
	if (flags & CLONE_CHILD_CLEARTID)
		t->cleared = child_id;
	t->blocked = thread_current()->blocked;
	memcpy(t->name, thread_current()->name, sizeof t->name);
	thread_add(t);
	return t->id;
}

/* The last thread's end is the process's. */
void thread_exit(int code)
{
	struct thread *t = thread_current();
	if (count == 1)
		process_exit(code & 0xff, 0);
	holds_end((const char *)UINT64_MAX); /* it may end within a call, in a handler */
	if (t->cleared) {
		*t->cleared = 0;
		futex_wake(t->cleared, 1, UINT32_MAX);
	}
	t->state = THREAD_ENDED;
	__mig_end();
}

/* On the CPU's stack: the thread's own memory may go too. */
NATIVE_CALLS void __mig_thread_gone(void)
{
	struct thread *t = thread_current();
	table[t->number] = NULL;
	while (end > 0 && !table[end - 1])
		end--;
	count--;
	signal_queue_drop(&t->signals, ~0ull);
	records_free(&t->records);
	if (t->unmap_size && page_ours(t->unmap, PAGES(t->unmap_size)))
		page_free((void *)t->unmap, PAGES(t->unmap_size));
	thread_forget(t);
	if (t != &thread_first)
		kmem_free(t, sizeof *t);
}

SYSCALL1(exit, int, code)
{
	thread_exit(code);
}

/* For a thread whose shadow stack is in what it unmaps. */
_Noreturn void __mig_exit_unmapping(void *start, size_t size)
{
	struct thread *t = thread_current();
	t->unmap = (uint64_t)start;
	t->unmap_size = size;
	thread_exit(0);
}

uint64_t thread_handled(void)
{
	return thread_current()->handled;
}

uint64_t thread_interrupted(void)
{
	return thread_current()->interrupted;
}

SYSCALL0(gettid)
{
	return thread_current()->id;
}

SYSCALL1(set_tid_address, int *, cleared)
{
	thread_current()->cleared = cleared;
	return thread_current()->id;
}

/* libc itself lets go of robust mutexes at a thread's end, and no one outlives the process. */
SYSCALL2(set_robust_list, void *, head, size_t, len)
{
	if (len != 3 * sizeof(long)) /* struct robust_list_head */
		return -EINVAL;
	thread_current()->robust_list = head;
	return 0;
}

SYSCALL3(get_robust_list, int, id, void **, head, size_t *, len)
{
	struct thread *t = id ? thread_by_id(id) : thread_current();
	if (!t)
		return -ESRCH;
	CHECK_POINTER(head);
	CHECK_POINTER(len);
	*head = t->robust_list;
	*len = 3 * sizeof(long);
	return 0;
}

NATIVE_CALLS void __mig_thread_ended(void)
{
	__mig_panic("a thread has no frames left");
}
