#include "front.h"

using namespace llvm;

namespace migrated {

void resolveAliases(Module &M) {}

} // namespace migrated
