#include "front.h"

using namespace llvm;

namespace migrated {

void requireChecked(Module &M) {}

} // namespace migrated
