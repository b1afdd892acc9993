// The passes that make IR migratable, as the plugin registers them. docs/runtime-abi.md is
// the contract of what they emit.
#pragma once

#include "llvm/IR/PassManager.h"

namespace migrated {

// Adds the passes in their order: the body of `migrated-transform`.
void addCorePasses(llvm::ModulePassManager &MPM);

// Adds the one pass called Name ("migrated-poll", ...), for fixtures. False if it is none
// of these.
bool addCorePass(llvm::StringRef Name, llvm::ModulePassManager &MPM);

// The passes, in this order. Each finds the reached functions anew.
void insertPolls(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
void splitBulkOperations(llvm::Module &M);  // long copies and the like poll on their way
void checkReached(llvm::Module &M);         // refuses what cannot be left
void lowerSetjmp(llvm::Module &M);          // to the runtime's, with values kept in memory
void tellLocalsApart(llvm::Module &M, llvm::ModuleAnalysisManager &MAM); // while they are allocas
void moveToShadowStack(llvm::Module &M);    // allocas of reached functions
void cutEarlyReturns(llvm::Module &M, llvm::ModuleAnalysisManager &MAM); // from what can be left
void makeFramesPortable(llvm::Module &M);   // save pads, resume functions, the site table

} // namespace migrated
