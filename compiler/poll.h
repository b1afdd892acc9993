// Migration points.
#pragma once

#include "llvm/IR/Instructions.h"

namespace migrated {

// The attribute of functions with an interpreter's loop, as far as it looks like one.
constexpr const char *InterpreterAttr = "migrated-interpreter";

// Inserts a migration point before I: one load and a cold branch.
void insertPoll(llvm::Instruction *I, bool OfStack = false);

// Inserts one on the edge From -> To, which is split.
void insertPollOnEdge(llvm::BasicBlock *From, llvm::BasicBlock *To);

// Makes the migration point one more case of Switch, so that there is still one jump: an
// interpreter's dispatch stays as the code generator likes it, copied behind each instruction.
void insertPollInSwitch(llvm::SwitchInst *Switch);

} // namespace migrated
