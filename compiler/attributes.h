// What optimisation has found out about functions, and is no longer true.
#pragma once

#include "llvm/IR/InstrTypes.h"

namespace migrated {

// A reached function can be left by an unwind at any of its sites; it writes records and moves
// the shadow stack. Drops what says otherwise.
void dropFalseAttributes(llvm::Function &F);
void dropFalseAttributes(llvm::CallBase &CB);

} // namespace migrated
