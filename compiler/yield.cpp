// A function or variable of libc gives way to the program's own of its name, wherever it lies in
// libc. A program may replace what it likes; where libc is a shared library, or has a file for
// each name, a linker takes it so. musl's files often have several names (strtol and strtoul), and
// who has one of them and wants another would be told that it is defined twice.
//
// libc's own affairs begin with an underscore. There a weak definition already means something: it
// stands in for one in another file.
#include "front.h"

using namespace llvm;

namespace migrated {

void yieldToProgram(Module &M) {
  for (GlobalValue &G : M.global_values())
    if (!G.isDeclaration() && G.hasExternalLinkage() && !G.getName().starts_with("_") && !G.getName().starts_with("llvm."))
      G.setLinkage(GlobalValue::WeakAnyLinkage);
}

} // namespace migrated
