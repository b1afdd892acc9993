/* The child of a tender on x86-64: .start sets the process up, .gate rings the doorbell. */
#include "layout.h"

/* Linux, arch/x86/entry/syscalls/syscall_64.tbl */
#define SYS_close        3
#define SYS_mmap         9
#define SYS_rt_sigaction 13
#define SYS_sigaltstack  131
#define SYS_futex        202
#define SYS_exit_group   231
#define SA_RESTORER 0x04000000 /* asm/signal.h; the kernel insists on one */

	.section .start, "ax"
start:
	movabs	$STUB_TABLE, %rbx
	lea	TABLE_REGION(%rbx), %r12
	xor	%r13d, %r13d
1:	cmp	TABLE_COUNT(%rbx), %r13
	je	2f
	mov	0(%r12), %rdi
	mov	8(%r12), %rsi
	mov	16(%r12), %rdx
	mov	24(%r12), %r10
	mov	32(%r12), %r8
	mov	40(%r12), %r9
	mov	$SYS_mmap, %eax
	syscall
	mov	$EXIT_REGION, %edi
	cmp	0(%r12), %rax
	jne	exit
	add	$REGION_SIZE, %r12
	inc	%r13
	jmp	1b

2:	mov	TABLE_FDS(%rbx), %r12
3:	test	%r12, %r12
	jz	4f
	lea	2(%r12), %edi
	mov	$SYS_close, %eax
	syscall
	dec	%r12
	jmp	3b

4:	lea	altstack(%rip), %rdi
	xor	%esi, %esi
	mov	$SYS_sigaltstack, %eax
	syscall
	mov	$EXIT_SETUP, %edi
	test	%eax, %eax
	jnz	exit
	lea	signals(%rip), %r12
5:	movzbl	(%r12), %edi
	test	%edi, %edi
	jz	6f
	lea	action(%rip), %rsi
	xor	%edx, %edx
	mov	$8, %r10d		/* bytes of a signal set */
	mov	$SYS_rt_sigaction, %eax
	syscall
	mov	$EXIT_SETUP, %edi
	test	%eax, %eax
	jnz	exit
	inc	%r12
	jmp	5b

	/* Wait for the first Run, which makes ack nonzero. */
6:	cmpl	$0, CTL_ACK
	jne	7f
	mov	$CTL_ACK, %edi
	mov	$FUTEX_WAIT, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	mov	$SYS_futex, %eax
	syscall
	jmp	6b

7:	mov	TABLE_STACK(%rbx), %rsp
	push	$0			/* the entry point is a C function without a caller */
	xor	%ebp, %ebp
	jmp	*TABLE_ENTRY(%rbx)

exit:	mov	$SYS_exit_group, %eax
	syscall
	ud2

/* rdi: signal, rsi: siginfo_t, rdx: ucontext, whose gregs are r8-r15, rdi, rsi, rbp, rbx,
   rdx, rax, rcx, rsp, rip (uapi/asm/sigcontext.h). */
handler:
	.macro	greg index, dwarf
	mov	UC_REST+8*\index(%rdx), %rax
	mov	%rax, CTL_CRASH_REGS+8*\dwarf
	.endm
	greg	13, 0	/* rax */
	greg	12, 1	/* rdx */
	greg	14, 2	/* rcx */
	greg	11, 3	/* rbx */
	greg	9, 4	/* rsi */
	greg	8, 5	/* rdi */
	greg	10, 6	/* rbp */
	greg	15, 7	/* rsp */
	greg	0, 8	/* r8-r15 */
	greg	1, 9
	greg	2, 10
	greg	3, 11
	greg	4, 12
	greg	5, 13
	greg	6, 14
	greg	7, 15
	greg	16, 16	/* rip */
	mov	%rax, CTL_CRASH_PC
	mov	SI_ADDR(%rsi), %rax
	mov	%rax, CTL_CRASH_ADDR
	mov	SI_CODE(%rsi), %eax
	mov	%eax, CTL_CRASH_CODE
	mov	%edi, CTL_CRASH_KIND
	mov	$EXIT_CRASHED, %edi
	jmp	exit

	.balign	8
altstack:			/* stack_t */
	.quad	STUB_ALTSTACK, 0, STUB_ALTSIZE
action:				/* struct sigaction of the system call */
	.quad	STUB_CODE + handler - start, SA_SIGINFO|SA_ONSTACK|SA_RESTORER
	.quad	STUB_CODE + exit - start, -1
signals:
	.byte	SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, 0

	.section .gate, "ax"
/* Leave for the host's backtraces what a call preserves, as it is at the gate's first
   instruction; bump bell, wake the host, wait for ack. Bit 0 of bell is the host's: it flips it to end its own wait. */
gate:	mov	%rbx, CTL_CRASH_REGS+8*3
	mov	%rbp, CTL_CRASH_REGS+8*6
	mov	%rsp, CTL_CRASH_REGS+8*7
	mov	%r12, CTL_CRASH_REGS+8*12
	mov	%r13, CTL_CRASH_REGS+8*13
	mov	%r14, CTL_CRASH_REGS+8*14
	mov	%r15, CTL_CRASH_REGS+8*15
	movq	$GATE_BASE, CTL_CRASH_PC
	mov	$2, %r8d
	lock xadd %r8d, CTL_BELL
	add	$2, %r8d
	and	$-2, %r8d
	mov	$CTL_BELL, %edi
	mov	$FUTEX_WAKE, %esi
	mov	$1, %edx
	mov	$SYS_futex, %eax
	syscall
1:	mov	CTL_ACK, %edx
	cmp	%r8d, %edx
	je	2f
	mov	$CTL_ACK, %edi
	mov	$FUTEX_WAIT, %esi
	xor	%r10d, %r10d
	mov	$SYS_futex, %eax
	syscall
	jmp	1b
2:	ret
