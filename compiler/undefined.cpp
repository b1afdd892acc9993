// A variable that is not set on every way to a site is undefined there. A build would save whatever
// its register holds: an address of its own code, perhaps, which must not be in a record.
#include "frame.h"

#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace migrated {

void defineUndefined(Function &F) {
  for (Instruction &I : make_early_inc_range(instructions(F))) {
    if (auto *Freeze = dyn_cast<FreezeInst>(&I); Freeze && isa<UndefValue>(Freeze->getOperand(0))) {
      Freeze->replaceAllUsesWith(Constant::getNullValue(Freeze->getType()));
      Freeze->eraseFromParent();
    } else if (auto *Phi = dyn_cast<PHINode>(&I)) {
      for (Use &U : Phi->incoming_values())
        if (isa<UndefValue>(U))
          U.set(Constant::getNullValue(Phi->getType()));
    }
  }
}

} // namespace migrated
