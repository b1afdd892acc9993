// Strip-mining: a loop becomes a loop over strips of it.
#pragma once

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"

namespace migrated {

// Makes of
//
//     preheader -> header ... latch -> header | exit
//
// with a latch that leaves after a number of iterations known in the preheader
//
//     preheader -> strip -> header ... latch -> header | strip.end
//     strip.end -> strip.next | exit
//     strip.next -> strip
//
// where the inner loop is counted and runs for at most one strip: it stays as vectorisable
// as it was. The loop may have other exits, which leave both loops.
class StripMine {
public:
  // Instructions of one strip; -migrated-strip.
  static uint64_t stripWork();

  // True if L is simplified, in LCSSA form, and such a loop.
  static bool canTransform(llvm::Loop &L, llvm::ScalarEvolution &SE);

  // IterationWork: instructions of an iteration, at least 1.
  StripMine(llvm::Loop &L, uint64_t IterationWork);

  // Computes the count in the preheader. Leaves the blocks as they are.
  void expandCount(llvm::ScalarEvolution &SE);

  // Changes the loop, and returns where code between two strips goes. LoopInfo and
  // ScalarEvolution do not follow.
  llvm::Instruction *transform();

private:
  llvm::Loop *L;
  uint64_t Iterations; // of a strip
  llvm::BasicBlock *Preheader, *Header, *Latch, *Exit;
  llvm::Value *Count = nullptr; // how often the latch goes back
};

} // namespace migrated
