// A second name for a function or variable becomes the first name at each use. All definitions
// are in this module, so that none can be replaced any more. With aliases left, a direct call
// would look like an indirect one. Native code and the optimiser go by names: the object gets
// the one that they know.
#include "diag.h"
#include "front.h"
#include "keep.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace migrated {

void resolveAliases(Module &M) {
  Diagnostics Diag(M);
  for (const GlobalIFunc &F : M.ifuncs())
    Diag.error("ifunc '" + F.getName() + "' cannot migrate; call through a pointer");
  Diag.exitOnError();

  KeptNames Kept;
  TargetLibraryInfoImpl Library{Triple(M.getTargetTriple())};
  LibFunc Func;
  for (GlobalAlias &A : make_early_inc_range(M.aliases())) {
    GlobalObject *Object = A.getAliaseeObject();
    std::string Name = A.getName().str();
    bool NativeUses = Kept.contains(A);
    bool IsLibrary = Library.getLibFunc(Name, Func) && !Library.getLibFunc(Object->getName(), Func);
    A.replaceAllUsesWith(A.getAliasee());
    A.eraseFromParent();
    if (Kept.contains(*Object)) {
      if (NativeUses)
        Diag.error("native code uses both '" + Name + "' and '" + Object->getName() +
                   "', which are one; have it use one name");
    } else if (NativeUses || IsLibrary) {
      Object->setName(Name);
      Object->setLinkage(GlobalValue::ExternalLinkage);
    }
  }
  Diag.exitOnError();
}

} // namespace migrated
