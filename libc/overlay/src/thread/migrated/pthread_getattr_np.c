/* musl's own looks for the end of the first thread's stack by trying; here it is known. */
#define _GNU_SOURCE
#include "pthread_impl.h"
#include "host_abi.h"

int pthread_getattr_np(pthread_t t, pthread_attr_t *a)
{
	*a = (pthread_attr_t){0};
	a->_a_detach = t->detach_state>=DT_DETACHED;
	a->_a_guardsize = t->guard_size;
	a->_a_stackaddr = t->stack ? (uintptr_t)t->stack : MIG_STATIC_BASE;
	a->_a_stacksize = t->stack ? t->stack_size : MIG_STATIC_BASE - MIG_PORTABLE_BASE;
	return 0;
}
