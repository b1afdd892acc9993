#include "front.h"

using namespace llvm;

namespace migrated {

void checkSource(Module &M) {}

} // namespace migrated
