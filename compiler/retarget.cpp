#include "front.h"

using namespace llvm;

namespace migrated {

void retarget(Module &M) {}

} // namespace migrated
