#include "reach.h"

#include "abi.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace migrated {

Function *calledFunction(const CallBase &CB) {
  return dyn_cast<Function>(CB.getCalledOperand()->stripPointerCasts());
}

// Both ABIs pass integers of up to 64 bits and pointers in the same registers, and
// C programs do mix them up.
static bool sameClass(const Type *A, const Type *B) {
  if (A == B)
    return true;
  auto IsWord = [](const Type *T) {
    return T->isPointerTy() ||
           (T->isIntegerTy() && T->getIntegerBitWidth() <= 64);
  };
  if (IsWord(A) && IsWord(B))
    return true;
  if (!A->isAggregateType() || !B->isAggregateType() ||
      A->getNumContainedTypes() == 0)
    return false;
  auto Count = [](const Type *T) -> uint64_t {
    return T->isArrayTy() ? T->getArrayNumElements() : T->getStructNumElements();
  };
  auto Element = [](const Type *T, unsigned I) -> const Type * {
    return T->isArrayTy() ? T->getArrayElementType() : T->getStructElementType(I);
  };
  if (Count(A) != Count(B))
    return false;
  for (unsigned I = 0; I < Count(A); ++I)
    if (!sameClass(Element(A, I), Element(B, I)))
      return false;
  return true;
}

bool mayCall(const FunctionType *Call, const FunctionType *Callee) {
  if (Call == Callee)
    return true;
  if (Call->getNumParams() != Callee->getNumParams())
    return false;
  for (unsigned I = 0; I < Call->getNumParams(); ++I)
    if (!sameClass(Call->getParamType(I), Callee->getParamType(I)))
      return false;
  const Type *Wanted = Call->getReturnType(), *Given = Callee->getReturnType();
  return Wanted->isVoidTy() || Given->isVoidTy() || sameClass(Wanted, Given);
}

static bool isPlainCall(const CallBase &CB) {
  return !isa<IntrinsicInst>(CB) && !CB.isInlineAsm();
}

Reach::Reach(Module &M) {
  DenseMap<const Function *, SetVector<Function *>> Callers;
  MapVector<const FunctionType *, SetVector<Function *>> PointerCallers;
  for (Function &F : M)
    for (Instruction &I : instructions(F))
      if (auto *CB = dyn_cast<CallBase>(&I); CB && isPlainCall(*CB)) {
        if (Function *Callee = calledFunction(*CB))
          Callers[Callee].insert(&F);
        else
          PointerCallers[CB->getFunctionType()].insert(&F);
      }

  SmallVector<const Function *> Work;
  auto Add = [&](const SetVector<Function *> &Fs) {
    for (Function *F : Fs)
      if (Reached.insert(F).second)
        Work.push_back(F);
  };
  if (Function *Leave = M.getFunction(abi::LeaveName))
    Add(Callers[Leave]);
  while (!Work.empty()) {
    const Function *F = Work.pop_back_val();
    Add(Callers[F]);
    if (!F->hasAddressTaken(nullptr, /*IgnoreCallbackUses=*/false,
                            /*IgnoreAssumeLikeCalls=*/true,
                            /*IgnoreLLVMUsed=*/true))
      continue;
    for (auto &[T, Fs] : PointerCallers)
      if (mayCall(T, F->getFunctionType()) && ReachedTypes.insert(T).second)
        Add(Fs);
  }
}

bool Reach::isSite(const CallBase &CB) const {
  if (!isPlainCall(CB))
    return false;
  if (Function *Callee = calledFunction(CB))
    return isReached(*Callee) || Callee->getName() == abi::LeaveName;
  return ReachedTypes.contains(CB.getFunctionType());
}

SmallVector<Function *> Reach::functions(Module &M) const {
  SmallVector<Function *> Fs;
  for (Function &F : M)
    if (isReached(F))
      Fs.push_back(&F);
  return Fs;
}

} // namespace migrated
