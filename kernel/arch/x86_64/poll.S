/* Between a poll and __mig_poll_slow: a call that changes no register but r11, so that code around
   a poll keeps all that it has in registers (LLVM's preserve_all, X86CallingConv.td). See
   native/leave.c, and poll_frame.h for the frame. */

#include "poll_frame.h"

/* bits: of each vector register that it keeps, which is all that the build has of it or all that
   LLVM expects. */
	.macro	poll bits move register
	.globl	__mig_poll_\bits
	.type	__mig_poll_\bits, @function
__mig_poll_\bits:
	.cfi_startproc
	.irp	r, rax, rcx, rdx, rsi, rdi, r8, r9, r10
	push	%\r
	.cfi_adjust_cfa_offset 8
	.endr
	sub	$POLL_FRAME - 9*8, %rsp
	.cfi_def_cfa_offset POLL_FRAME
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\move	%\register\n, 32*\n(%rsp)
	.endr
	lea	2f(%rip), %rax
	mov	%rax, POLL_LEFT(%rsp)
	.if	\bits > 128
	vzeroupper
	.endif
	call	__mig_poll_slow
1:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\move	32*\n(%rsp), %\register\n
	.endr
	add	$POLL_FRAME - 9*8, %rsp
	.cfi_def_cfa_offset 9*8
	.irp	r, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	pop	%\r
	.cfi_adjust_cfa_offset -8
	.endr
	ret

/* The unwinder comes here, the frame above it no longer on the stack, but as it was. What was the
   return address is not: the unwinder's way here was there. */
	.cfi_def_cfa_offset 0
2:	sub	$POLL_FRAME, %rsp
	.cfi_def_cfa_offset POLL_FRAME
	mov	POLL_PAD(%rsp), %r11
	mov	%r11, POLL_FRAME - 8(%rsp)
	jmp	1b
	.cfi_endproc
	.size	__mig_poll_\bits, . - __mig_poll_\bits
	.endm

	.text
	.globl	arch_polls, arch_polls_end
	.hidden	arch_polls, arch_polls_end
arch_polls:
	poll	128 movups xmm
	poll	256 vmovups ymm
arch_polls_end:

	.section .note.GNU-stack, "", @progbits
