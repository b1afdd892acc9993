// Computed gotos. The address of a label is an address of machine code, which differs between
// builds; a small integer does not. `goto *p` becomes a switch.
//
// An interpreter does `goto *table[opcode]`. If each label stands in such a table once, and the
// labels are numbered in the table's order, then the table need not be read any more.
#include "front.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace migrated {

namespace {

// The labels of a function whose address is taken.
class Labels {
public:
  explicit Labels(Function &F) : F(F) {}
  void number();                     // from 1 on: 0 would be a null pointer
  void lower(IndirectBrInst *Branch); // to a switch on a number
  void replaceAddresses();           // by numbers; last

private:
  const ConstantArray *entriesOf(const GlobalVariable &Table) const;
  void numberTable(GlobalVariable &Table);
  void replaceReads(GlobalVariable &Table, uint64_t First);
  bool add(BasicBlock *B) { return Numbers.try_emplace(B, Numbers.size() + 1).second; }

  Function &F;
  MapVector<BasicBlock *, uint64_t> Numbers;
};

} // namespace

// The entries of a constant table that holds nothing but labels of this function, each once.
const ConstantArray *Labels::entriesOf(const GlobalVariable &Table) const {
  if (!Table.isConstant() || !Table.hasLocalLinkage())
    return nullptr;
  auto *Array = dyn_cast_or_null<ConstantArray>(Table.getInitializer());
  if (!Array)
    return nullptr;
  SmallPtrSet<const BasicBlock *, 32> Seen;
  for (const Use &Entry : Array->operands()) {
    auto *Label = dyn_cast<BlockAddress>(Entry);
    if (!Label || Label->getFunction() != &F || !Seen.insert(Label->getBasicBlock()).second)
      return nullptr;
  }
  return Array;
}

void Labels::number() {
  SmallVector<GlobalVariable *, 2> Tables;
  for (BasicBlock &B : F)
    if (BlockAddress *Label = BlockAddress::lookup(&B))
      for (User *Array : Label->users())
        for (User *U : Array->users())
          if (auto *Table = dyn_cast<GlobalVariable>(U); Table && !is_contained(Tables, Table))
            Tables.push_back(Table);
  for (GlobalVariable *Table : Tables)
    numberTable(*Table);
  for (BasicBlock &B : F)
    if (BlockAddress::lookup(&B))
      add(&B);
}

void Labels::numberTable(GlobalVariable &Table) {
  const ConstantArray *Entries = entriesOf(Table);
  auto Label = [](const Use &Entry) { return cast<BlockAddress>(Entry)->getBasicBlock(); };
  auto Numbered = [&](const Use &Entry) { return Numbers.contains(Label(Entry)); };
  if (!Entries || any_of(Entries->operands(), Numbered))
    return;
  uint64_t First = Numbers.size() + 1;
  for (const Use &Entry : Entries->operands())
    add(Label(Entry));
  replaceReads(Table, First);
}

// The i-th entry of the table is First + i.
void Labels::replaceReads(GlobalVariable &Table, uint64_t First) {
  for (User *U : Table.users()) {
    auto *Address = dyn_cast<GetElementPtrInst>(U);
    if (!Address || Address->getSourceElementType() != Table.getValueType() ||
        Address->getNumIndices() != 2 || !match(Address->getOperand(1), m_ZeroInt()))
      continue;
    Value *Index = Address->getOperand(2);
    for (User *Reader : make_early_inc_range(Address->users())) {
      auto *Load = dyn_cast<LoadInst>(Reader);
      if (!Load || !Load->getType()->isPointerTy() || Load->isVolatile())
        continue;
      IRBuilder<> B(Load);
      Value *Number = B.CreateAdd(B.CreateSExtOrTrunc(Index, B.getInt64Ty()), B.getInt64(First));
      Load->replaceAllUsesWith(B.CreateIntToPtr(Number, Load->getType()));
      Load->eraseFromParent();
    }
  }
}

void Labels::lower(IndirectBrInst *Branch) {
  BasicBlock *From = Branch->getParent();
  IRBuilder<> B(Branch);
  Value *Label = B.CreatePtrToInt(Branch->getAddress(), B.getInt64Ty());
  // Only a label of this function may be jumped to.
  auto *Nowhere = BasicBlock::Create(B.getContext(), "nolabel", &F);
  new UnreachableInst(B.getContext(), Nowhere);

  SwitchInst *Switch = B.CreateSwitch(Label, Nowhere, Branch->getNumDestinations());
  SmallPtrSet<BasicBlock *, 16> Seen;
  for (unsigned I = 0; I < Branch->getNumDestinations(); I++) {
    BasicBlock *To = Branch->getDestination(I);
    auto Number = Numbers.find(To);
    if (Number != Numbers.end() && Seen.insert(To).second)
      Switch->addCase(B.getInt64(Number->second), To);
    else // twice in the list, or a label whose address nobody has
      To->removePredecessor(From);
  }
  Branch->eraseFromParent();
}

void Labels::replaceAddresses() {
  auto *I64 = Type::getInt64Ty(F.getContext());
  for (auto &[Block, Number] : Numbers) {
    BlockAddress *Label = BlockAddress::lookup(Block);
    Label->replaceAllUsesWith(
        ConstantExpr::getIntToPtr(ConstantInt::get(I64, Number), Label->getType()));
    Label->destroyConstant();
  }
}

void lowerIndirectBranches(Module &M) {
  for (Function &F : M) {
    if (none_of(F, [](BasicBlock &B) { return B.hasAddressTaken(); }))
      continue;
    Labels L(F);
    L.number();
    for (BasicBlock &B : make_early_inc_range(F))
      if (auto *Branch = dyn_cast<IndirectBrInst>(B.getTerminator()))
        L.lower(Branch);
    L.replaceAddresses();
  }
}

} // namespace migrated
