/* The reset vector and what there is of privileged code: from 16 bits to ring 3 in 64 bits, and
   two calls back (int3: rax 0 waits for the next tick, 2 for ever, 1 writes the byte in rdi to QEMU's
   debug console). It is a firmware image, so that nothing else runs before: where KVM has no
   hardware support, it emulates ring 0 instruction by instruction.
   Intel SDM 3A, chapters 9 to 12. */

#define CODE32 0x08
#define CODE64 0x10
#define DATA64 0x18
#define USER_DATA 0x20
#define USER_CODE 0x28
#define TSS 0x30

#define TICK 32
#define CALL 3
#define LAPIC 0xfee00000

	.section .params, "a"
	.globl params
params:	.long 0, 0, 0, 0	/* heap in MiB, fill, mode */

	.text
	.code16
	.globl start16
start16:
	cli
	lgdtl %cs:(gdt_pointer - 0xf0000)
	movl $0x11, %eax	/* protection, and x87 as it is on all processors now */
	movl %eax, %cr0
	ljmpl $CODE32, $start32

	.code32
start32:
	movl $DATA64, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $0x620, %eax	/* PAE; SSE */
	movl %eax, %cr4
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx	/* EFER: long mode */
	movl $0x100, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80000013, %eax
	movl %eax, %cr0
	ljmpl $CODE64, $start64

	.code64
start64:
	movl $kernel_stack_end, %esp
	/* Tables that the processor writes to go to memory. */
	movl $gdt, %esi
	movl $gdt_copy, %edi
	movl $(gdt_end - gdt) / 4, %ecx
	rep movsl
	movl $gdt_copy, gdt_copy_pointer + 2
	movw $gdt_end - gdt - 1, gdt_copy_pointer
	lgdt gdt_copy_pointer
	movl $kernel_stack_end, tss + 4
	movw $0x68, tss + 102
	movl $TSS, %eax
	ltr %ax

	/* Interrupt gates: 0x8e for the processor, 0xee for ring 3 too. */
	movl $tick, %eax
	movl $TICK, %edi
	movl $0x8e00, %ebx
	call gate
	movl $call, %eax
	movl $CALL, %edi
	movl $0xee00, %ebx
	call gate
	movl $idt, idt_pointer + 2
	movw $16 * 256 - 1, idt_pointer
	lidt idt_pointer

	/* A tick each millisecond: KVM's APIC counts nanoseconds. */
	movl $LAPIC, %esi
	movl $0x1ff, 0xf0(%rsi)
	movl $0xb, 0x3e0(%rsi)
	movl $0x20000 | TICK, 0x320(%rsi)
	movl $1000000, 0x380(%rsi)

	pushq $USER_DATA | 3
	pushq $user_stack_end - 8
	pushq $2
	pushq $USER_CODE | 3
	pushq $bare_main
	iretq

/* gate: entry edi of the interrupt table leads to eax, with type and rights of ebx. */
gate:
	shll $4, %edi
	movl %eax, %edx
	andl $0xffff, %eax
	orl $CODE64 << 16, %eax
	movl %eax, idt(%rdi)
	andl $0xffff0000, %edx
	orl %ebx, %edx
	movl %edx, idt + 4(%rdi)
	ret

tick:
	pushq %rax
	movl $LAPIC, %eax
	movl $0, 0xb0(%rax)	/* end of interrupt */
	popq %rax
	iretq

call:
	cmpl $1, %eax
	ja 2f
	jb 1f
	movl %edi, %eax
	outb %al, $0xe9
	iretq
1:	sti
	hlt
	cli
	iretq
2:	hlt
	jmp 2b

	.globl bare_call
bare_call:			/* void bare_call(long number, long argument) */
	movq %rdi, %rax
	movq %rsi, %rdi
	int3
	ret

	.section .rodata
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cff3000000ffff
	.quad 0x00affb000000ffff
	.word 0x67, tss		/* below 64 KiB */
	.long 0x00008900
	.quad 0
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt

	/* Four GiB, each address itself, for everybody: present, writable, user, accessed, dirty;
	   the last pages, where the APIC is, uncached. */
	.balign 4096
pml4:	.quad pdpt + 0x67
	.fill 511, 8, 0
pdpt:	.quad pd + 0x67, pd + 0x1067, pd + 0x2067, pd + 0x3067
	.fill 508, 8, 0
pd:
	.set at, 0
	.rept 2048
	.if at < 0xfe000000
	.quad at + 0xe7
	.else
	.quad at + 0xff
	.endif
	.set at, at + 0x200000
	.endr

	.bss
	.balign 16
tss:	.skip 0x68
	.balign 16
idt:	.skip 16 * 256
gdt_copy:
	.skip 64
gdt_copy_pointer:
	.skip 16
idt_pointer:
	.skip 16
	.balign 16
	.skip 4096
kernel_stack_end:
	.skip 4096
user_stack_end:

	.section .reset, "ax"
	.code16
	ljmp $0xf000, $start16 - 0xf0000
