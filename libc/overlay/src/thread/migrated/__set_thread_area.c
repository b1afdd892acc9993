#include "pthread_impl.h"

int __set_thread_area(void *p)
{
	__mig_tp = p;
	return 0;
}
