#include "front.h"

using namespace llvm;

namespace migrated {

void lowerVariadics(Module &M) {}

} // namespace migrated
