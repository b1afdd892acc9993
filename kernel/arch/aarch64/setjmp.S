/* Registers in a jmp_buf: x19..x30, sp, d8..d15 in words 0..20 (AAPCS64, 6.1: callee-saved
   registers). */

	.text

/* int __mig_setjmp(uint64_t *buf, uint64_t fid, uint32_t site, void *slot) */
	.globl	__mig_setjmp
	.type	__mig_setjmp, %function
__mig_setjmp:
	.cfi_startproc
	stp	x19, x20, [x0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x9, sp
	str	x9, [x0, #96]
	stp	d8, d9, [x0, #104]
	stp	d10, d11, [x0, #120]
	stp	d12, d13, [x0, #136]
	stp	d14, d15, [x0, #152]
	adrp	x9, __mig_epoch
	ldr	x9, [x9, #:lo12:__mig_epoch]
	mov	w2, w2			/* clears the upper half */
	str	x9, [x0, #22*8]
	str	x1, [x0, #23*8]
	str	x2, [x0, #24*8]
	str	x3, [x0, #25*8]
	mov	w0, #0
	ret
	.cfi_endproc
	.size	__mig_setjmp, . - __mig_setjmp

/* void arch_longjmp(const uint64_t *buf, int value) */
	.globl	arch_longjmp
	.hidden	arch_longjmp
	.type	arch_longjmp, %function
arch_longjmp:
	.cfi_startproc
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x9, [x0, #96]
	mov	sp, x9
	ldp	d8, d9, [x0, #104]
	ldp	d10, d11, [x0, #120]
	ldp	d12, d13, [x0, #136]
	ldp	d14, d15, [x0, #152]
	mov	w0, w1
	br	x30
	.cfi_endproc
	.size	arch_longjmp, . - arch_longjmp

	.section .note.GNU-stack, "", %progbits
