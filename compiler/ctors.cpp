// Constructors and destructors as libc walks them: arrays of pointers between two symbols,
// which for an ordinary program a linker makes from .init_array and .fini_array.
#include "diag.h"
#include "front.h"

#include "llvm/IR/Constants.h"

using namespace llvm;

namespace migrated {

// The functions of llvm.global_ctors or llvm.global_dtors, in the order of .init_array: by
// priority, then as they come. (libc walks .fini_array from its end.)
static SmallVector<Constant *, 8> takeFunctions(Module &M, StringRef ListName) {
  SmallVector<Constant *, 8> Functions;
  GlobalVariable *List = M.getNamedGlobal(ListName);
  if (!List)
    return Functions;
  SmallVector<std::pair<uint64_t, Constant *>, 8> Entries;
  if (auto *Array = dyn_cast<ConstantArray>(List->getInitializer()))
    for (const Use &U : Array->operands()) {
      auto *Entry = cast<ConstantStruct>(U); // {i32 priority, ptr function, ptr data}
      Constant *F = Entry->getOperand(1);
      if (!F->isNullValue())
        Entries.emplace_back(cast<ConstantInt>(Entry->getOperand(0))->getZExtValue(), F);
    }
  stable_sort(Entries, [](auto &A, auto &B) { return A.first < B.first; });
  for (auto &[Priority, F] : Entries)
    Functions.push_back(F);
  List->eraseFromParent();
  return Functions;
}

static void lowerArray(Module &M, Diagnostics &Diag, StringRef ListName, StringRef Array) {
  SmallVector<Constant *, 8> Functions = takeFunctions(M, ListName);
  GlobalVariable *Start = M.getNamedGlobal(("__" + Array + "_start").str());
  GlobalVariable *End = M.getNamedGlobal(("__" + Array + "_end").str());
  if (!Start || !End) {
    if (!Functions.empty())
      Diag.error("the program has constructors or destructors, but its libc runs none (" + Array +
                 "); link with migratecc's libc");
    return;
  }
  auto *Ptr = PointerType::getUnqual(M.getContext());
  uint64_t N = Functions.size();
  Functions.push_back(ConstantPointerNull::get(Ptr)); // so that the end is within the array
  auto *ArrayTy = ArrayType::get(Ptr, Functions.size());
  auto *G = new GlobalVariable(M, ArrayTy, /*isConstant=*/true, GlobalValue::InternalLinkage,
                               ConstantArray::get(ArrayTy, Functions), "__mig_" + Array);
  G->setAlignment(M.getDataLayout().getABITypeAlign(Ptr));
  Constant *Index = ConstantInt::get(Type::getInt64Ty(M.getContext()), N);
  Start->replaceAllUsesWith(G);
  End->replaceAllUsesWith(ConstantExpr::getInBoundsGetElementPtr(Ptr, G, Index));
  Start->eraseFromParent();
  End->eraseFromParent();
}

void lowerConstructors(Module &M) {
  Diagnostics Diag(M);
  lowerArray(M, Diag, "llvm.global_ctors", "init_array");
  lowerArray(M, Diag, "llvm.global_dtors", "fini_array");
  Diag.exitOnError();
}

} // namespace migrated
