/* Names that native code shares with compiled programs and the linker script
   (docs/runtime-abi.md). */
#ifndef MIGRATED_NATIVE_ABI_H
#define MIGRATED_NATIVE_ABI_H

#include <stdint.h>

typedef void mig_resume_fn(void *record, uint32_t site);

extern mig_resume_fn *const __mig_sites[];
extern const uint64_t __mig_site_count;
extern const uint64_t __mig_record_max; /* bytes */

extern const unsigned char __mig_eh_frame_hdr_start[], __mig_eh_frame_hdr_end[];

/* cpu.c */
_Noreturn void cpu_thread_left(void);    /* the running thread has left its machine stack */
_Noreturn void cpu_thread_restart(void); /* its driver is to begin again, on an empty stack */

/* driver.c: the outermost frame of a thread's machine stack. */
void driver(void);

#endif
