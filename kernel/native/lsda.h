/* The call-site table of a language-specific data area, as GCC and LLVM write it for C++
   ("Exception Handling Tables" of the Itanium C++ ABI, and DWARF's pointer encodings). */
#ifndef MIGRATED_LSDA_H
#define MIGRATED_LSDA_H

#include <stdint.h>

/* The landing pad for an address within a function, or 0. */
uintptr_t lsda_landing_pad(const uint8_t *lsda, uintptr_t function, uintptr_t pc);

#endif
