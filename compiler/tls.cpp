#include "front.h"

using namespace llvm;

namespace migrated {

void lowerThreadLocals(Module &M) {}

} // namespace migrated
