/* What each ISA provides to native code: kernel/arch/<isa>. */
#ifndef MIGRATED_ARCH_H
#define MIGRATED_ARCH_H

#include <stdint.h>

#include "counter.h" /* static inline uint64_t arch_counter(void) */
#include "poll_frame.h" /* offsets of what leave.c has to do with in the frame of a poll */

/* Saves the callee-saved registers and the stack pointer, the latter at *saved, and calls run
   on another stack, whose end is stack_end, 16-aligned. run does not return: arch_escape
   makes arch_run return reason. Unwinding ends at run's caller. */
int arch_run(void **saved, void *stack_end, void (*run)(void));
_Noreturn void arch_escape(void *saved, int reason);

/* Saves as arch_run does, and goes to where another call of either saved, which returns reason.
   Returns what it is given in turn. */
int arch_switch(void **saved, void *to, int reason);

/* Saves registers in words 0..21 of buf; returns 0, and value when arch_longjmp goes there.
   __mig_setjmp, in the same file, fills the words behind and tail-calls it. */
_Noreturn void arch_longjmp(const uint64_t *buf, int value);

/* __mig_poll_128 and its like are between these: calls of __mig_poll_slow that keep all registers. */
extern const unsigned char arch_polls[], arch_polls_end[];

#endif
