#include "front.h"

using namespace llvm;

namespace migrated {

void lowerMath(Module &M) {}
void dropFastMath(Module &M) {}

} // namespace migrated
