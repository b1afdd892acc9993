// Linker sets: the variables of a section whose name is an identifier lie behind each other,
// between __start_NAME and __stop_NAME. A linker would see to that; here every variable gets a
// place of its own, so those of a set become one. Sections of functions are no sets: they say where
// a linker is to put what is rarely called, and the planner would not know them.
#include "diag.h"
#include "front.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace migrated {

using Members = SmallVector<GlobalVariable *, 8>;

// Lays the members out as a linker does: each at the next address that suits its alignment.
static GlobalVariable *join(Module &M, StringRef Name, const Members &Set) {
  const DataLayout &DL = M.getDataLayout();
  LLVMContext &C = M.getContext();
  SmallVector<Constant *> Parts;
  SmallVector<unsigned> Index;
  uint64_t End = 0;
  Align Most(1);
  bool Constant = true;
  for (GlobalVariable *G : Set) {
    Align A = G->getAlign().value_or(DL.getPreferredAlign(G));
    Most = std::max(Most, A);
    Constant = Constant && G->isConstant();
    if (uint64_t Gap = alignTo(End, A) - End)
      Parts.push_back(
          ConstantAggregateZero::get(ArrayType::get(Type::getInt8Ty(C), Gap)));
    Index.push_back(Parts.size());
    Parts.push_back(G->getInitializer());
    End = alignTo(End, A) + DL.getTypeAllocSize(G->getValueType());
  }
  // The end lies within, so that no other variable has its address.
  Parts.push_back(ConstantInt::get(Type::getInt8Ty(C), 0));
  auto *Joined = ConstantStruct::getAnon(C, Parts, /*Packed=*/true);
  auto *G = new GlobalVariable(M, Joined->getType(), Constant, GlobalValue::InternalLinkage,
                               Joined, "__set_" + Name);
  G->setAlignment(Most);
  auto At = [&](unsigned N) {
    auto *I32 = Type::getInt32Ty(C);
    return ConstantExpr::getInBoundsGetElementPtr(
        Joined->getType(), G,
        ArrayRef<llvm::Constant *>{ConstantInt::get(I32, 0), ConstantInt::get(I32, N)});
  };
  for (unsigned I = 0; I < Set.size(); ++I)
    Set[I]->replaceAllUsesWith(At(Index[I]));
  for (auto [Prefix, N] : {std::pair("__start_", 0u), std::pair("__stop_", unsigned(Parts.size()) - 1)})
    if (GlobalVariable *Bound = M.getNamedGlobal((Prefix + Name).str())) {
      Bound->replaceAllUsesWith(At(N));
      Bound->eraseFromParent();
    }
  return G;
}

// The name of the set that a bound belongs to; empty if it is none.
static StringRef setOf(const GlobalVariable &G) {
  StringRef Name = G.getName();
  if (!G.isDeclaration() || !(Name.consume_front("__start_") || Name.consume_front("__stop_")))
    return "";
  return Name;
}

void joinSets(Module &M) {
  MapVector<StringRef, Members> Sets;
  for (GlobalVariable &G : M.globals())
    if (!setOf(G).empty())
      Sets[setOf(G)];
  SmallPtrSet<llvm::Constant *, 16> Joined;
  for (GlobalVariable &G : M.globals())
    if (auto Set = Sets.find(G.getSection());
        Set != Sets.end() && !G.isDeclaration() && !G.isThreadLocal()) {
      Set->second.push_back(&G);
      Joined.insert(&G);
    }
  removeFromUsedLists(M, [&](llvm::Constant *C) { return Joined.contains(C); });
  Diagnostics Diag(M);
  for (auto &[Name, Set] : Sets) {
    if (!Set.empty()) {
      std::string Copy = Name.str(); // the bounds, whose names have it, go
      join(M, Copy, Set);
      continue;
    }
    for (StringRef Prefix : {"__start_", "__stop_"})
      if (GlobalVariable *G = M.getNamedGlobal((Prefix + Name).str());
          G && !G->hasExternalWeakLinkage() && !G->use_empty())
        Diag.error("undefined symbol: " + G->getName() + "; nothing lies in a section '" + Name + "'");
  }
  Diag.exitOnError();
  for (llvm::Constant *C : Joined)
    cast<GlobalVariable>(C)->eraseFromParent();
  for (Function &F : M)
    F.setSection("");
}

} // namespace migrated
