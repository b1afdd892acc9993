#include "pthread_impl.h"

/* There is no other thread to cancel, and musl's way (a signal that looks at the program
   counter) does not fit cooperative threads. */
int pthread_cancel(pthread_t t)
{
	return ENOSYS;
}
