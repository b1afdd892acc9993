/* Files that system calls use while they wait: another thread may close them meanwhile. A call need
   not come back: a handler may jump out of it or end its thread. So each thread has a list of what
   it holds; its parts lie in the frames of the calls, innermost first. */
#include "file.h"
#include "native.h"
#include "thread.h"

void file_hold(struct hold *hold, struct file *file)
{
	struct thread *t = thread_current();
	file->users++;
	*hold = (struct hold){.file = file, .outer = t->holds};
	t->holds = hold;
}

void file_let_go(struct hold *hold)
{
	thread_current()->holds = hold->outer;
	file_release(hold->file);
}

/* Whether a hold is of a call within a frame. The signal stack is within all of the thread's own. */
static bool within(const struct thread *t, const char *hold, const char *frame)
{
	bool inner = thread_on_signal_stack(t, hold), outer = thread_on_signal_stack(t, frame);
	return inner == outer ? hold < frame : inner;
}

void holds_end(const char *frame)
{
	struct thread *t = thread_current();
	while (t->holds && within(t, (char *)t->holds, frame))
		file_let_go(t->holds);
}

/* What lies below the slot belongs to frames that end. */
NATIVE_CALLS _Noreturn void __mig_longjmp(uint64_t *buf, int value)
{
	const char *frame = (const char *)buf[JMP_SLOT];
	holds_end(frame);
	__mig_ssp_limit = thread_stack_limit(thread_current(), frame);
	__mig_jump(buf, value);
}
