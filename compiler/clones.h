// Which functions get a clone as their resume function.
#pragma once

#include "reach.h"

namespace migrated {

// Hot functions, as far as a share of the program's size allows: those with sites in loops,
// the most deeply nested first. A loop around a site stays a loop only if nothing jumps into it.
llvm::DenseSet<const llvm::Function *> chooseClones(llvm::Module &M, const Reach &Reached);

} // namespace migrated
