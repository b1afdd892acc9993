/* The kernel keeps the running thread's block in a portable variable. Thread-locals lie
   at *__mig_tp + offset in every build (docs/runtime-abi.md), the descriptor right
   below them, so no ISA's thread pointer is involved. */
extern char *__mig_tp;

static inline uintptr_t __get_tp(void)
{
	return (uintptr_t)__mig_tp;
}

#define TLS_ABOVE_TP
#define GAP_ABOVE_TP 0

#define MC_PC __gregs[0]
