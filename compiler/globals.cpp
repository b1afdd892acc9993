#include "front.h"

using namespace llvm;

namespace migrated {

void pinGlobals(Module &M) {}

} // namespace migrated
