#include "front.h"

using namespace llvm;

namespace migrated {

void holdLibrary(Module &M) {}
void releaseLibrary(Module &M) {}

} // namespace migrated
