#include "front.h"

using namespace llvm;

namespace migrated {

void internalise(Module &M) {}

} // namespace migrated
