#include "frame.h"

#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace migrated {

// True if computing I again costs about nothing, and needs no more values live than I itself.
static bool isCheap(const Instruction &I) {
  if (I.getType()->isVectorTy())
    return false;
  if (auto *GEP = dyn_cast<GetElementPtrInst>(&I))
    return GEP->hasAllConstantIndices();
  return isa<PtrToIntInst, IntToPtrInst, ZExtInst, SExtInst>(I);
}

// Puts a copy of I into each block that uses it.
static void computeAtUses(Instruction &I) {
  DenseMap<BasicBlock *, Instruction *> Copies;
  for (Use &U : make_early_inc_range(I.uses())) {
    auto *User = cast<Instruction>(U.getUser());
    auto *Phi = dyn_cast<PHINode>(User);
    BasicBlock *BB = Phi ? Phi->getIncomingBlock(U) : User->getParent();
    if (BB == I.getParent())
      continue;
    Instruction *&Copy = Copies[BB];
    if (!Copy) {
      Copy = I.clone();
      Copy->insertBefore(&*BB->getFirstInsertionPt());
      Copy->setName(I.getName());
    }
    U.set(Copy);
  }
  if (I.use_empty())
    I.eraseFromParent();
}

bool rematerialise(Function &F, const DenseSet<const Value *> &LiveAtSites) {
  SmallVector<Instruction *> Cheap;
  for (Instruction &I : instructions(F))
    if (isCheap(I) && LiveAtSites.contains(&I))
      Cheap.push_back(&I);
  // Users first: a copy of a user needs its operand where the copy is.
  for (Instruction *I : reverse(Cheap))
    computeAtUses(*I);
  return !Cheap.empty();
}

} // namespace migrated
