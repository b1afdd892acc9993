/* Entry and change of stacks. See native/arch.h. */

	.text

/* Entered like a C function that has no caller (docs/guest-host.md). */
	.globl	_start
	.type	_start, @function
_start:
	.cfi_startproc
	.cfi_undefined rip
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	cpu_main
	ud2
	.cfi_endproc
	.size	_start, . - _start

/* int arch_run(void **saved, void *stack_end, void (*run)(void)) */
	.globl	arch_run
	.hidden	arch_run
	.type	arch_run, @function
arch_run:
	.cfi_startproc
	.cfi_undefined rip		/* nothing outside is unwound */
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	xor	%ebp, %ebp
	call	*%rdx
	ud2
	.cfi_endproc
	.size	arch_run, . - arch_run

/* int arch_switch(void **saved, void *to, int reason) */
	.globl	arch_switch
	.hidden	arch_switch
	.type	arch_switch, @function
arch_switch:
	.cfi_startproc
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.cfi_def_cfa_offset 56
	mov	%rsp, (%rdi)
	mov	%rsi, %rdi
	mov	%edx, %esi
	jmp	arch_escape
	.cfi_endproc
	.size	arch_switch, . - arch_switch

/* void arch_escape(void *saved, int reason) */
	.globl	arch_escape
	.hidden	arch_escape
	.type	arch_escape, @function
arch_escape:
	.cfi_startproc
	mov	%rdi, %rsp
	mov	%esi, %eax
	.cfi_def_cfa_offset 56
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size	arch_escape, . - arch_escape

	.section .note.GNU-stack, "", @progbits
