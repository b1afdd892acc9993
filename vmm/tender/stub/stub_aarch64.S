/* The child of a tender on aarch64: .start sets the process up, .gate rings the doorbell. */
#include "layout.h"

/* Linux, uapi/asm-generic/unistd.h */
#define SYS_close        57
#define SYS_exit_group   94
#define SYS_futex        98
#define SYS_sigaltstack  132
#define SYS_rt_sigaction 134
#define SYS_mmap         222

	.macro	addr reg, value
	movz	\reg, #(\value) & 0xffff
	movk	\reg, #((\value) >> 16) & 0xffff, lsl #16
	.endm

	.section .start, "ax"
start:
	ldr	x19, table
	add	x20, x19, #TABLE_REGION
	mov	x21, #0
1:	ldr	x9, [x19, #TABLE_COUNT]
	cmp	x21, x9
	b.eq	2f
	ldp	x0, x1, [x20]
	ldp	x2, x3, [x20, #16]
	ldp	x4, x5, [x20, #32]
	mov	x22, x0
	mov	x8, #SYS_mmap
	svc	#0
	cmp	x0, x22
	mov	x0, #EXIT_REGION
	b.ne	exit
	add	x20, x20, #REGION_SIZE
	add	x21, x21, #1
	b	1b

2:	ldr	x20, [x19, #TABLE_FDS]
3:	cbz	x20, 4f
	add	x0, x20, #2
	mov	x8, #SYS_close
	svc	#0
	sub	x20, x20, #1
	b	3b

4:	adr	x0, altstack
	mov	x1, #0
	mov	x8, #SYS_sigaltstack
	svc	#0
	cbnz	x0, setup_failed
	adr	x20, signals
5:	ldrb	w0, [x20], #1
	cbz	w0, 6f
	adr	x1, action
	mov	x2, #0
	mov	x3, #8			/* bytes of a signal set */
	mov	x8, #SYS_rt_sigaction
	svc	#0
	cbz	x0, 5b
setup_failed:
	mov	x0, #EXIT_SETUP
	b	exit

	/* Wait for the first Run, which makes ack nonzero. */
6:	addr	x20, CTL_ACK
7:	ldar	w9, [x20]
	cbnz	w9, 8f
	mov	x0, x20
	mov	x1, #FUTEX_WAIT
	mov	x2, #0
	mov	x3, #0
	mov	x8, #SYS_futex
	svc	#0
	b	7b

8:	ldr	x9, [x19, #TABLE_STACK]
	mov	sp, x9
	ldr	x9, [x19, #TABLE_ENTRY]
	mov	x29, #0			/* the entry point is a C function without a caller */
	mov	x30, #0
	br	x9

exit:	mov	x8, #SYS_exit_group
	svc	#0
	udf	#0

/* x0: signal, x1: siginfo_t, x2: ucontext: a signal set padded to 128 bytes, then on 16
   bytes struct sigcontext: fault_address, x0-x30, sp, pc (uapi/asm/sigcontext.h). */
#define UC_REGS (UC_REST + 128 + 8 + 8)
handler:
	add	x2, x2, #UC_REGS
	addr	x3, CTL_CRASH_REGS
	mov	x4, #33			/* x0-x30, sp, pc: DWARF's order */
1:	ldr	x5, [x2], #8
	str	x5, [x3], #8
	subs	x4, x4, #1
	b.ne	1b
	addr	x3, CTL_CRASH_KIND
	str	x5, [x3, #CTL_CRASH_PC - CTL_CRASH_KIND]
	ldr	x5, [x1, #SI_ADDR]
	str	x5, [x3, #CTL_CRASH_ADDR - CTL_CRASH_KIND]
	ldr	w5, [x1, #SI_CODE]
	str	w5, [x3, #CTL_CRASH_CODE - CTL_CRASH_KIND]
	stlr	w0, [x3]
	mov	x0, #EXIT_CRASHED
	b	exit

	.balign	8
table:	.quad	STUB_TABLE
altstack:			/* stack_t */
	.quad	STUB_ALTSTACK, 0, STUB_ALTSIZE
action:				/* struct sigaction of the system call */
	.quad	STUB_CODE + handler - start, SA_SIGINFO|SA_ONSTACK, 0, -1
signals:
	.byte	SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, 0

	.section .gate, "ax"
/* Leave for the host's backtraces what a call preserves, as it is at the gate's first
   instruction; bump bell, wake the host, wait for ack. Bit 0 of bell is the host's: it flips it to end its own wait. */
gate:	addr	x9, CTL_CRASH_REGS
	stp	x19, x20, [x9, #8*19]
	stp	x21, x22, [x9, #8*21]
	stp	x23, x24, [x9, #8*23]
	stp	x25, x26, [x9, #8*25]
	stp	x27, x28, [x9, #8*27]
	stp	x29, x30, [x9, #8*29]
	mov	x10, sp
	str	x10, [x9, #8*31]
	addr	x10, GATE_BASE
	stur	x10, [x9, #CTL_CRASH_PC - CTL_CRASH_REGS]
	addr	x9, CTL_BELL
1:	ldaxr	w10, [x9]
	add	w10, w10, #2
	stlxr	w11, w10, [x9]
	cbnz	w11, 1b
	and	w10, w10, #~1
	mov	x0, x9
	mov	x1, #FUTEX_WAKE
	mov	x2, #1
	mov	x8, #SYS_futex
	svc	#0
	addr	x9, CTL_ACK
2:	ldar	w2, [x9]
	cmp	w2, w10
	b.eq	3f
	mov	x0, x9
	mov	x1, #FUTEX_WAIT
	mov	x3, #0
	mov	x8, #SYS_futex
	svc	#0
	b	2b
3:	ret
