// Migration points.
#pragma once

#include "llvm/IR/BasicBlock.h"

namespace migrated {

// Inserts a migration point before I: one load and a cold branch.
void insertPoll(llvm::Instruction *I);

// Inserts one on the edge From -> To, which is split.
void insertPollOnEdge(llvm::BasicBlock *From, llvm::BasicBlock *To);

} // namespace migrated
