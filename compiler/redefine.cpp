#include "redefine.h"

#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/SSAUpdater.h"

using namespace llvm;

namespace migrated {

void Redefinitions::rewrite(function_ref<First(Value *)> FirstOf) {
  for (auto &[V, Defs] : Added) {
    First F = FirstOf(V);
    SSAUpdater Updater;
    Updater.Initialize(F.Now->getType(), V->getName());
    for (auto [At, New] : Defs)
      Updater.AddAvailableValue(At, New);
    if (F.At)
      Updater.AddAvailableValue(F.At, F.Now);
    for (Use &U : make_early_inc_range(F.Now->uses())) {
      auto *User = cast<Instruction>(U.getUser());
      if (User->getParent() == F.At && !isa<PHINode>(User))
        continue; // behind the definition, in its block
      Updater.RewriteUse(U);
    }
  }
}

} // namespace migrated
