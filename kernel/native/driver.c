/* The driver: brings a thread's frames back one at a time, from its records, the innermost
   first. It is the outermost frame of every thread's machine stack. */
#include "native.h"
#include "native_abi.h"

void driver(void)
{
	struct mig_record r;
	if (__mig_thread_is_new())
		__mig_thread_main();
	while (__mig_record_top(&r)) {
		__mig_record_cut(&r);
		if (r.site >= __mig_site_count)
			__mig_panic("a frame record is damaged: it names no site");
		__mig_sites[r.site](r.data, r.site);
	}
	__mig_thread_ended();
}
