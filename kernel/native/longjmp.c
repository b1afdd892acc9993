/* Of longjmp, the jump: native while the frame that called setjmp is where it was, by records after a
   move (docs/runtime-abi.md). */
#include <stddef.h>

#include "arch.h"
#include "native.h"
#include "native_abi.h"

static bool is_back(const uint64_t *slot, uint64_t fid)
{
	return slot && slot[JMP_EPOCH] == __mig_epoch && slot[JMP_FID] == fid;
}

/* The record of the frame that buf is about; records of frames with setjmp begin with fid. */
static bool find_record(const uint64_t *buf, struct mig_record *r)
{
	if (buf[JMP_SITE] >= __mig_site_count || buf[JMP_FID] == 0)
		return false;
	mig_resume_fn *resume = __mig_sites[buf[JMP_SITE]];
	for (bool found = __mig_record_top(r); found; found = __mig_record_below(r))
		if (r->site < __mig_site_count && __mig_sites[r->site] == resume &&
		    *(const uint64_t *)r->data == buf[JMP_FID])
			return true;
	return false;
}

_Noreturn void __mig_jump(uint64_t *buf, int value)
{
	struct mig_record r;
	if (value == 0)
		value = 1; /* C11 7.13.2.1 */
	if (buf[JMP_EPOCH] == __mig_epoch)
		arch_longjmp(buf, value);
	const uint64_t *slot = (const uint64_t *)buf[JMP_SLOT];
	if (is_back(slot, buf[JMP_FID]))
		arch_longjmp(slot, value);
	if (!find_record(buf, &r))
		__mig_panic("longjmp to a function that has returned");
	*(int32_t *)__mig_result = value;
	__mig_record_continue_at(&r, buf[JMP_SITE]);
	cpu_thread_restart();
}
