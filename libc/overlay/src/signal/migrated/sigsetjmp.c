#include <setjmp.h>
#include <signal.h>
#include "syscall.h"

/* The first half of sigsetjmp (setjmp.h). */
struct __jmp_buf_tag *__mig_sigmask_save(struct __jmp_buf_tag *buf, int save)
{
	buf->__fl = save != 0;
	if (save)
		__syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, buf->__ss, _NSIG/8);
	return buf;
}
