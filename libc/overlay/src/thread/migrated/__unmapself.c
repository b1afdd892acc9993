#include "pthread_impl.h"
#include "syscall.h"

void __unmapself(void *base, size_t size)
{
	__mig_exit_unmapping(base, size);
}
