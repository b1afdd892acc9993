#include "front.h"

using namespace llvm;

namespace migrated {

void lowerConstructors(Module &M) {}

} // namespace migrated
