// Which symbols are referred to from outside the module, by native code or by passes that are
// yet to come: they keep name and external linkage.
#pragma once

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"

namespace migrated {

// Those in llvm.used (__attribute__((used))), and those given with -migrated-keep.
class KeptNames {
public:
  explicit KeptNames(llvm::Module &M);
  bool contains(const llvm::GlobalValue &G) const;
  void add(const llvm::GlobalValue &G) { Used.insert(&G); }

private:
  llvm::SmallPtrSet<const llvm::GlobalValue *, 16> Used;
  llvm::StringSet<> Named;
};

} // namespace migrated
