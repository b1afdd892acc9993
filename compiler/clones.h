// Which functions get a clone as their resume function.
#pragma once

#include "reach.h"

namespace migrated {

// Interpreters, small functions that call nothing but polls, and those that seem to run most
// often for their size, in this order, as far as a share of the program's size allows.
// A function that is resumed in place tests for it on each entry, is not inlined, and its
// loops around sites have two entries.
llvm::DenseSet<const llvm::Function *> chooseClones(llvm::Module &M, const Reach &Reached);

} // namespace migrated
