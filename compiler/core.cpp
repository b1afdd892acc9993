#include "core.h"

using namespace llvm;

namespace migrated {

bool addCorePass(StringRef Name, ModulePassManager &MPM) { return false; }

void addCorePasses(ModulePassManager &MPM) {}

} // namespace migrated
