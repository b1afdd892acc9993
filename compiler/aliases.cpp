// A second name for a function or variable becomes the first name at each use. All definitions
// are in this module, so that none can be replaced any more. With aliases left, a direct call
// would look like an indirect one.
#include "diag.h"
#include "front.h"
#include "keep.h"

#include "llvm/IR/Constants.h"

using namespace llvm;

namespace migrated {

void resolveAliases(Module &M) {
  Diagnostics Diag(M);
  for (const GlobalIFunc &F : M.ifuncs())
    Diag.error("ifunc '" + F.getName() + "' cannot migrate; call through a pointer");
  Diag.exitOnError();

  KeptNames Kept(M);
  for (GlobalAlias &A : make_early_inc_range(M.aliases())) {
    GlobalObject *Object = A.getAliaseeObject();
    std::string Name = A.getName().str();
    bool NativeUses = Kept.contains(A);
    A.replaceAllUsesWith(A.getAliasee());
    A.eraseFromParent();
    if (!NativeUses)
      continue;
    if (Kept.contains(*Object))
      Diag.error("native code uses both '" + Name + "' and '" + Object->getName() +
                 "', which are one; have it use one name");
    Object->setName(Name);
    Object->setLinkage(GlobalValue::ExternalLinkage);
    Kept.add(*Object);
  }
  Diag.exitOnError();
}

} // namespace migrated
