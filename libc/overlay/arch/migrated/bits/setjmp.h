/* Room for any ISA's registers and for what finds the frame after a move
   (docs/runtime-abi.md). */
typedef unsigned long __jmp_buf[32] __attribute__((__aligned__(16)));
