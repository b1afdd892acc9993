// Live SSA values.
#pragma once

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Function.h"

namespace migrated {

// The values live at block boundaries of a function: a backward dataflow over arguments and
// the instructions whose value is used in another block. Debug records are no uses.
class Liveness {
public:
  explicit Liveness(llvm::Function &F);

  // The values that some path from the start of BB uses before it defines them: arguments
  // first, then instructions in F's order. Without the PHIs of BB.
  llvm::SmallVector<llvm::Value *> liveInto(const llvm::BasicBlock &BB) const;

private:
  void number(llvm::Value &V);
  void summarise(llvm::BasicBlock &BB);
  void solve(llvm::Function &F);

  llvm::SmallVector<llvm::Value *> Values;
  llvm::DenseMap<const llvm::Value *, unsigned> Index;

  struct Block {
    llvm::BitVector In;       // live into the block, without its PHIs
    llvm::BitVector Used;     // used before a definition
    llvm::BitVector Defined;  // by the block, PHIs too
    llvm::BitVector FeedsPhi; // used by PHIs of successors, from this block
  };
  llvm::DenseMap<const llvm::BasicBlock *, Block> Blocks;
};

} // namespace migrated
