// The passes that make IR migratable, as the plugin registers them: poll, reach,
// sjlj, shadow, frames. docs/runtime-abi.md is the contract of what they emit.
#pragma once

#include "llvm/IR/PassManager.h"

namespace migrated {

// Adds the passes in their order: the body of `migrated-transform`.
void addCorePasses(llvm::ModulePassManager &MPM);

// Adds the one pass called Name ("migrated-poll", ...), for fixtures. False if it
// is none of these.
bool addCorePass(llvm::StringRef Name, llvm::ModulePassManager &MPM);

} // namespace migrated
