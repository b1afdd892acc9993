// Values with more than one definition, and the way back to SSA form.
#pragma once

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/BasicBlock.h"

namespace migrated {

// Collects further definitions of values, then makes each use take the one that reaches it.
class Redefinitions {
public:
  // At the end of At, V also has the value New.
  void add(llvm::Value *V, llvm::BasicBlock *At, llvm::Value *New) {
    Added[V].push_back({At, New});
  }

  // The definition that the uses of a value name now. At is null if it never takes effect.
  struct First {
    llvm::Value *Now;
    llvm::BasicBlock *At;
  };

  // Rewrites the uses of all values that were added.
  void rewrite(llvm::function_ref<First(llvm::Value *)> FirstOf);

  // Calls F for each value that was added.
  template <typename Fn> void forEach(Fn F) {
    for (auto &[V, Defs] : Added)
      F(V);
  }

private:
  using Definitions = llvm::SmallVector<std::pair<llvm::BasicBlock *, llvm::Value *>, 4>;
  llvm::MapVector<llvm::Value *, Definitions> Added;
};

} // namespace migrated
