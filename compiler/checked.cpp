// The first step of migrated-prepare: every function was compiled by migratecc.
#include "check.h"
#include "diag.h"
#include "front.h"

using namespace llvm;

namespace migrated {

void requireChecked(Module &M) {
  Diagnostics Diag(M);
  for (const Function &F : M)
    if (!F.isDeclaration() && !F.hasFnAttribute(CheckedAttr))
      Diag.error(F, "function '" + F.getName() +
                        "' was not compiled by migratecc; build its object or library with "
                        "CC=migratecc");
  Diag.exitOnError();
}

} // namespace migrated
