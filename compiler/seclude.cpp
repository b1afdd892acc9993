// Keeps the program's functions out of libc's: polls are placed by what a function's loops
// are, and libc's loops have almost none. main inlined into libc's start-up code, or a
// comparator into qsort, would run without a migration point.
#include "check.h"
#include "front.h"
#include "reach.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace migrated {

bool mayCallProgram(const CallBase &Call) {
  if (Call.isInlineAsm() || isa<IntrinsicInst>(Call))
    return false;
  const Function *Callee = calledFunction(Call);
  return !Callee || (!Callee->isDeclaration() && !Callee->hasFnAttribute(SystemAttr));
}

void secludeProgram(Module &M) {
  for (Function &F : M) {
    if (!F.hasFnAttribute(SystemAttr))
      continue;
    for (Instruction &I : instructions(F))
      if (auto *Call = dyn_cast<CallBase>(&I); Call && mayCallProgram(*Call))
        Call->addFnAttr(Attribute::NoInline);
  }
}

} // namespace migrated
