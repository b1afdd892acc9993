/* Between a poll and __mig_poll_slow: a call that changes no register but x16, x17 and x30, so that
   code around a poll keeps all that it has in registers (LLVM's preserve_all expects no more,
   AArch64CallingConvention.td). See native/leave.c, and poll_frame.h for the frame. */

#include "poll_frame.h"

	.text
	.globl	arch_polls, arch_polls_end
	.hidden	arch_polls, arch_polls_end
arch_polls:
	.globl	__mig_poll_128
	.type	__mig_poll_128, %function
__mig_poll_128:
	.cfi_startproc
	sub	sp, sp, #POLL_FRAME
	.cfi_def_cfa_offset POLL_FRAME
	add	x16, sp, #POLL_FIRST
	stp	x0, x1, [x16, #0]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	stp	x6, x7, [x16, #48]
	stp	x8, x9, [x16, #64]
	stp	x10, x11, [x16, #80]
	stp	x12, x13, [x16, #96]
	stp	x14, x15, [x16, #112]
	str	x18, [x16, #144]
	stp	x29, x30, [x16, #POLL_LINK - POLL_FIRST]
	.cfi_offset x29, POLL_LINK - POLL_FRAME
	.cfi_offset x30, POLL_LINK - POLL_FRAME + 8
	stp	q0, q1, [sp, #0]
	stp	q2, q3, [sp, #32]
	stp	q4, q5, [sp, #64]
	stp	q6, q7, [sp, #96]
	stp	q8, q9, [sp, #128]
	stp	q10, q11, [sp, #160]
	stp	q12, q13, [sp, #192]
	stp	q14, q15, [sp, #224]
	stp	q16, q17, [sp, #256]
	stp	q18, q19, [sp, #288]
	stp	q20, q21, [sp, #320]
	stp	q22, q23, [sp, #352]
	stp	q24, q25, [sp, #384]
	stp	q26, q27, [sp, #416]
	stp	q28, q29, [sp, #448]
	stp	q30, q31, [sp, #480]
	adr	x17, 2f
	str	x17, [sp, #POLL_LEFT]
	bl	__mig_poll_slow
1:	add	x16, sp, #POLL_FIRST
	ldp	q0, q1, [sp, #0]
	ldp	q2, q3, [sp, #32]
	ldp	q4, q5, [sp, #64]
	ldp	q6, q7, [sp, #96]
	ldp	q8, q9, [sp, #128]
	ldp	q10, q11, [sp, #160]
	ldp	q12, q13, [sp, #192]
	ldp	q14, q15, [sp, #224]
	ldp	q16, q17, [sp, #256]
	ldp	q18, q19, [sp, #288]
	ldp	q20, q21, [sp, #320]
	ldp	q22, q23, [sp, #352]
	ldp	q24, q25, [sp, #384]
	ldp	q26, q27, [sp, #416]
	ldp	q28, q29, [sp, #448]
	ldp	q30, q31, [sp, #480]
	ldp	x29, x30, [x16, #POLL_LINK - POLL_FIRST]
	ldr	x18, [x16, #144]
	ldp	x0, x1, [x16, #0]
	ldp	x2, x3, [x16, #16]
	ldp	x4, x5, [x16, #32]
	ldp	x6, x7, [x16, #48]
	ldp	x8, x9, [x16, #64]
	ldp	x10, x11, [x16, #80]
	ldp	x12, x13, [x16, #96]
	ldp	x14, x15, [x16, #112]
	add	sp, sp, #POLL_FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
	ret

/* The unwinder comes here, the frame above it no longer on the stack, but as it was. */
2:	sub	sp, sp, #POLL_FRAME
	.cfi_def_cfa_offset POLL_FRAME
	ldr	x17, [sp, #POLL_PAD]
	str	x17, [sp, #POLL_LINK + 8]
	b	1b
	.cfi_endproc
	.size	__mig_poll_128, . - __mig_poll_128
arch_polls_end:

	.section .note.GNU-stack, "", %progbits
