// Computed gotos. The address of a label is an address of machine code, which differs between
// builds; a small integer does not. `goto *p` becomes a switch.
#include "front.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace migrated {

// Numbers the labels whose address is taken from 1 on (0 would be a null pointer), in the
// order of the blocks, and puts the numbers in place of the addresses.
static DenseMap<BasicBlock *, ConstantInt *> numberLabels(Function &F) {
  auto *I64 = Type::getInt64Ty(F.getContext());
  DenseMap<BasicBlock *, ConstantInt *> Numbers;
  for (BasicBlock &B : F)
    if (BlockAddress *Address = B.hasAddressTaken() ? BlockAddress::lookup(&B) : nullptr) {
      ConstantInt *Number = ConstantInt::get(I64, Numbers.size() + 1);
      Numbers[&B] = Number;
      Address->replaceAllUsesWith(ConstantExpr::getIntToPtr(Number, Address->getType()));
      Address->destroyConstant();
    }
  return Numbers;
}

static void lower(IndirectBrInst *Branch, const DenseMap<BasicBlock *, ConstantInt *> &Numbers) {
  BasicBlock *From = Branch->getParent();
  IRBuilder<> B(Branch);
  Value *Label = B.CreatePtrToInt(Branch->getAddress(), B.getInt64Ty());
  // Only a label of this function may be jumped to.
  auto *Nowhere = BasicBlock::Create(B.getContext(), "nolabel", From->getParent());
  new UnreachableInst(B.getContext(), Nowhere);

  SwitchInst *Switch = B.CreateSwitch(Label, Nowhere, Branch->getNumDestinations());
  SmallPtrSet<BasicBlock *, 16> Seen;
  for (unsigned I = 0; I < Branch->getNumDestinations(); I++) {
    BasicBlock *To = Branch->getDestination(I);
    auto Number = Numbers.find(To);
    if (Number != Numbers.end() && Seen.insert(To).second)
      Switch->addCase(Number->second, To);
    else // twice in the list, or a label whose address nobody has
      To->removePredecessor(From);
  }
  Branch->eraseFromParent();
}

void lowerIndirectBranches(Module &M) {
  for (Function &F : M) {
    DenseMap<BasicBlock *, ConstantInt *> Numbers = numberLabels(F);
    SmallVector<IndirectBrInst *, 2> Branches;
    for (BasicBlock &B : F)
      if (auto *Branch = dyn_cast<IndirectBrInst>(B.getTerminator()))
        Branches.push_back(Branch);
    for (IndirectBrInst *Branch : Branches)
      lower(Branch, Numbers);
  }
}

} // namespace migrated
