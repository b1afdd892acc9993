/* System calls that are cancellation points: __syscall_cp is in syscall_arch.h, so that it folds
   to a direct call. A program without pthread_cancel has nothing to look at. */
#include "pthread_impl.h"
#include "syscall.h"

static long never()
{
	return 0;
}
weak_alias(never, __mig_cancelled);
