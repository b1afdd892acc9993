/* Entry and change of stacks. See native/arch.h. */

	.text

/* Entered like a C function that has no caller (docs/guest-host.md). */
	.globl	_start
	.type	_start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30
	mov	x29, xzr
	mov	x30, xzr
	bl	cpu_main
	brk	#1
	.cfi_endproc
	.size	_start, . - _start

/* int arch_run(void **saved, void *stack_end, void (*run)(void)) */
	.globl	arch_run
	.hidden	arch_run
	.type	arch_run, %function
arch_run:
	.cfi_startproc
	.cfi_undefined x30		/* nothing outside is unwound */
	sub	sp, sp, #160
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	mov	x29, xzr
	blr	x2
	brk	#1
	.cfi_endproc
	.size	arch_run, . - arch_run

/* int arch_switch(void **saved, void *to, int reason) */
	.globl	arch_switch
	.hidden	arch_switch
	.type	arch_switch, %function
arch_switch:
	.cfi_startproc
	sub	sp, sp, #160
	.cfi_def_cfa_offset 160
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	x0, x1
	mov	w1, w2
	b	arch_escape
	.cfi_endproc
	.size	arch_switch, . - arch_switch

/* void arch_escape(void *saved, int reason) */
	.globl	arch_escape
	.hidden	arch_escape
	.type	arch_escape, %function
arch_escape:
	.cfi_startproc
	mov	sp, x0
	mov	w0, w1
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	ret
	.cfi_endproc
	.size	arch_escape, . - arch_escape

	.section .note.GNU-stack, "", %progbits
