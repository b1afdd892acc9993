#include "liveness.h"

#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace migrated {

static bool crossesBlocks(const Instruction &I) {
  return any_of(I.users(), [&](const User *U) {
    auto *Use = cast<Instruction>(U);
    return Use->getParent() != I.getParent() || isa<PHINode>(Use);
  });
}

Liveness::Liveness(Function &F) {
  for (Argument &A : F.args())
    number(A);
  for (Instruction &I : instructions(F))
    if (crossesBlocks(I))
      number(I);
  for (BasicBlock &BB : F)
    summarise(BB);
  solve(F);
}

void Liveness::number(Value &V) {
  Index[&V] = Values.size();
  Values.push_back(&V);
}

void Liveness::summarise(BasicBlock &BB) {
  unsigned N = Values.size();
  Block B{BitVector(N), BitVector(N), BitVector(N), BitVector(N)};
  for (Instruction &I : BB) {
    if (!isa<PHINode>(I))
      for (Value *Op : I.operands())
        if (auto It = Index.find(Op); It != Index.end() && !B.Defined.test(It->second))
          B.Used.set(It->second);
    if (auto It = Index.find(&I); It != Index.end())
      B.Defined.set(It->second);
  }
  for (BasicBlock *Succ : successors(&BB))
    for (PHINode &Phi : Succ->phis())
      if (auto It = Index.find(Phi.getIncomingValueForBlock(&BB)); It != Index.end())
        B.FeedsPhi.set(It->second);
  B.In = B.Used;
  Blocks[&BB] = std::move(B);
}

void Liveness::solve(Function &F) {
  SmallVector<BasicBlock *> Order(post_order(&F));
  for (bool Changed = true; Changed;) {
    Changed = false;
    for (BasicBlock *BB : Order) {
      Block &B = Blocks[BB];
      BitVector Live = B.FeedsPhi;
      for (BasicBlock *Succ : successors(BB))
        Live |= Blocks[Succ].In;
      Live.reset(B.Defined);
      Live |= B.Used;
      if (Live != B.In) {
        B.In = std::move(Live);
        Changed = true;
      }
    }
  }
}

SmallVector<Value *> Liveness::liveInto(const BasicBlock &BB) const {
  SmallVector<Value *> Live;
  for (unsigned I : Blocks.find(&BB)->second.In.set_bits())
    Live.push_back(Values[I]);
  return Live;
}

} // namespace migrated
