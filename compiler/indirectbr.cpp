#include "front.h"

using namespace llvm;

namespace migrated {

void lowerIndirectBranches(Module &M) {}

} // namespace migrated
