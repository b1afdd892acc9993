// Which symbols are referred to from outside the module, by native code or by passes that are
// yet to come: they keep name and external linkage. (__attribute__((used)) says less: a
// program marks so what must not be dropped by a linker, and nobody else can see it here.)
#pragma once

#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"

namespace migrated {

// The names given with -migrated-keep.
class KeptNames {
public:
  KeptNames();
  bool contains(const llvm::GlobalValue &G) const { return Names.contains(G.getName()); }

private:
  llvm::StringSet<> Names;
};

} // namespace migrated
