/*
 * What native code offers to portable code, and what it calls there. Native code is
 * compiled for each ISA by itself; its data is private and stays behind at a move
 * (docs/runtime-abi.md).
 */
#ifndef MIGRATED_NATIVE_H
#define MIGRATED_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Native, called by portable code. None of them reaches a migration point but __mig_leave. */
void __mig_leave(void);
/* To the CPU's loop; comes back when the loop has this thread run. */
void __mig_switch(void);
/* The same for good: the thread has ended. */
_Noreturn void __mig_end(void);
/* Rings the doorbell: fills op and the arguments, calls the gate, returns ret. */
int64_t __mig_ring(uint32_t op, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3);
/* Says that a migration point is passed; calls of it remain in --poll-gap's images alone. */
void __mig_poll_gap(void);
/* The counter that mig_ctl's clock parameters are about. */
uint64_t __mig_counter(void);

/* Jumps to where buf, a jmp_buf, says; kept words of it have numbers. The slot lies in the frame
   of the function that called setjmp, or is 0: it cannot be left. */
_Noreturn void __mig_jump(uint64_t *buf, int value);
enum { JMP_EPOCH = 22, JMP_FID = 23, JMP_SITE = 24, JMP_SLOT = 25 };

/* Portable, called by native code on a CPU's stack or by the driver of a thread. Only
   __mig_thread_main may reach a migration point: it is what a new thread runs. */
void __mig_start(void);          /* unpacks the boot blob, makes the first thread */
void __mig_resume(void);         /* a new machine, or the old one again: epoch, random seed */
int64_t __mig_schedule(void);    /* the number of a thread to run, or MIG_ALL_LEFT; may wait */
bool __mig_thread_is_new(void);  /* asked once for each time that a thread gets a stack */
void __mig_thread_main(void);
void __mig_leave_begin(void);
void __mig_leave_end(void);
void __mig_all_left(void);       /* tells the host; returns if the move is called off */
_Noreturn void __mig_panic(const char *message);
void __mig_thread_gone(void);    /* the thread that ran has ended */
_Noreturn void __mig_thread_ended(void);

#define MIG_ALL_LEFT (-1)

/* Records of the running thread, as a stack: innermost frame on top (records.c). */
struct mig_record {
	void *data;
	uint64_t site;
	uint64_t below, end; /* bytes of records below this one, and up to its end */
};
void *__mig_record_room(uint64_t size);             /* for the next record, at most size bytes */
void __mig_record_done(uint32_t site, uint32_t size); /* it is complete */
bool __mig_record_top(struct mig_record *r);
bool __mig_record_below(struct mig_record *r);      /* steps to the one below */
void __mig_record_cut(const struct mig_record *r);  /* drops it and all above */
/* Drops all above it, and puts another site in the place of its own. */
void __mig_record_continue_at(const struct mig_record *r, uint32_t site);

/* What the frame that returned last to the driver has returned. */
extern unsigned char __mig_result[256];
extern uint64_t __mig_epoch;

#endif
