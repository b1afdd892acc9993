/*
 * What the two stubs share with ../stub.go, which writes the ELF file around them. The
 * first pages have the ELF headers and the table, the one behind the code of .start; the
 * alternate signal stack lies in memory of its own behind it. All is below the machine
 * stacks, where a guest has nothing.
 */
#define STUB_BASE     0x6e00000000
#define STUB_TABLE    0x6e00000400
#define STUB_CODE     0x6e00004000
#define STUB_ALTSTACK 0x6e00100000
#define STUB_ALTSIZE  0x10000

/* The table, 8 bytes each. */
#define TABLE_ENTRY  0  /* where the guest begins */
#define TABLE_STACK  8  /* its stack pointer */
#define TABLE_FDS    16 /* descriptors from 3 on that are closed once all is mapped */
#define TABLE_COUNT  24 /* regions */
#define TABLE_REGION 32 /* the first: {addr, size, prot, flags, fd, offset} */
#define REGION_SIZE  48

/* Exit statuses. */
#define EXIT_CRASHED 1  /* mig_ctl.crash says why */
#define EXIT_SETUP   2  /* the fault handler could not be set up */
#define EXIT_REGION  3  /* a region could not be mapped */

/* host_abi.h, which is C only; stub_test.go compares. */
#define CTL_BELL       0x020000d0
#define CTL_ACK        0x020000d4
#define CTL_CRASH_KIND 0x020000d8
#define CTL_CRASH_CODE 0x020000dc
#define CTL_CRASH_ADDR 0x020000e0
#define CTL_CRASH_PC   0x020000e8
#define CTL_CRASH_REGS 0x020000f0
#define GATE_BASE      0x02001000

/* Linux, uapi/linux/futex.h: shared futexes, for they are seen from two processes. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

/* Linux, uapi/asm-generic/signal.h. */
#define SA_SIGINFO  0x4
#define SA_ONSTACK  0x08000000
#define SIGILL  4
#define SIGTRAP 5
#define SIGBUS  7
#define SIGFPE  8
#define SIGSEGV 11
#define SI_CODE 8  /* offsets in siginfo_t */
#define SI_ADDR 16

/* Linux, struct ucontext: uc_flags, uc_link, uc_stack come before what differs. */
#define UC_REST 40
