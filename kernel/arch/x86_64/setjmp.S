/* Registers in a jmp_buf: rbx rbp r12 r13 r14 r15 rsp rip in words 0..7 (System V ABI,
   figure 3.4: callee-saved registers). */

	.text

/* int __mig_setjmp(uint64_t *buf, uint64_t fid, uint32_t site, void *slot) */
	.globl	__mig_setjmp
	.type	__mig_setjmp, @function
__mig_setjmp:
	.cfi_startproc
	mov	%rbx, (%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	lea	8(%rsp), %rax		/* as it is behind the return */
	mov	%rax, 48(%rdi)
	mov	(%rsp), %rax
	mov	%rax, 56(%rdi)
	mov	__mig_epoch(%rip), %rax
	mov	%rax, 22*8(%rdi)
	mov	%rsi, 23*8(%rdi)
	mov	%edx, %edx
	mov	%rdx, 24*8(%rdi)
	mov	%rcx, 25*8(%rdi)
	xor	%eax, %eax
	ret
	.cfi_endproc
	.size	__mig_setjmp, . - __mig_setjmp

/* void arch_longjmp(const uint64_t *buf, int value) */
	.globl	arch_longjmp
	.hidden	arch_longjmp
	.type	arch_longjmp, @function
arch_longjmp:
	.cfi_startproc
	mov	%esi, %eax
	mov	(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	jmp	*56(%rdi)
	.cfi_endproc
	.size	arch_longjmp, . - arch_longjmp

	.section .note.GNU-stack, "", @progbits
