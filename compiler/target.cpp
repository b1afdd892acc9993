#include "front.h"

using namespace llvm;

namespace migrated {

void setTarget(Module &M) {}

} // namespace migrated
