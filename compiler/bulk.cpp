// Bulk operations on memory are native code, and have no migration points: a copy of 100 MB would
// keep a thread from leaving for tens of milliseconds. In functions that can leave anyway, those
// that are long go to the kernel, which does them in parts and polls in between.
//
// libc and kernel keep theirs whole: what they copy they may not share half done.
#include "abi.h"
#include "check.h"
#include "core.h"
#include "reach.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace migrated {

namespace {

// Bytes that are not worth a poll: some microseconds.
constexpr uint64_t Short = 65536;

// What does the same as I in parts; empty if I is no bulk operation.
StringRef partwise(const CallInst &I) {
  switch (I.getIntrinsicID()) {
  case Intrinsic::memcpy: return "__mig_bulk_copy";
  case Intrinsic::memmove: return "__mig_bulk_move";
  case Intrinsic::memset: return "__mig_bulk_fill";
  }
  Function *F = calledFunction(I);
  if (!F || !F->isDeclaration() || I.arg_size() != 3)
    return "";
  StringRef Name = F->getName();
  if (Name == "memcpy") return "__mig_bulk_copy";
  if (Name == "memmove") return "__mig_bulk_move";
  if (Name == "memset") return "__mig_bulk_fill";
  if (Name == "memcmp" || Name == "bcmp") return "__mig_bulk_compare";
  return "";
}

bool mayBeLong(const CallInst &I) {
  auto *Length = dyn_cast<ConstantInt>(I.getArgOperand(2));
  return !Length || Length->getValue().ugt(Short);
}

void split(CallInst &I, StringRef Partwise) {
  Module &M = *I.getModule();
  IRBuilder<> B(&I);
  Value *Length = B.CreateZExtOrTrunc(I.getArgOperand(2), B.getInt64Ty());
  Value *Second = I.getArgOperand(1);
  if (Second->getType()->isIntegerTy())
    Second = B.CreateZExtOrTrunc(Second, B.getInt32Ty());
  Value *IsLong = B.CreateICmpUGT(Length, B.getInt64(Short));
  Instruction *Long, *Whole;
  SplitBlockAndInsertIfThenElse(IsLong, &I, &Long, &Whole,
                                MDBuilder(M.getContext()).createUnlikelyBranchWeights());
  B.SetInsertPoint(Long);
  B.SetCurrentDebugLocation(I.getDebugLoc());
  bool Compares = Partwise == "__mig_bulk_compare";
  FunctionCallee Callee = M.getOrInsertFunction(
      Partwise, Compares ? B.getInt32Ty() : B.getVoidTy(), B.getPtrTy(), Second->getType(),
      B.getInt64Ty());
  Value *Result = B.CreateCall(Callee, {I.getArgOperand(0), Second, Length});
  if (!Compares)
    Result = I.getArgOperand(0);
  BasicBlock *After = I.getParent();
  I.moveBefore(Whole);
  if (I.use_empty())
    return;
  PHINode *Either = PHINode::Create(I.getType(), 2, "", After->begin());
  I.replaceAllUsesWith(Either);
  Either->addIncoming(Result, Long->getParent());
  Either->addIncoming(&I, Whole->getParent());
}

} // namespace

void splitBulkOperations(Module &M) {
  SmallVector<CallInst *> Calls;
  for (Function *F : Reach(M).functions(M))
    if (!F->hasFnAttribute(SystemAttr))
      for (Instruction &I : instructions(F))
        if (auto *CI = dyn_cast<CallInst>(&I); CI && !partwise(*CI).empty() && mayBeLong(*CI))
          Calls.push_back(CI);
  for (CallInst *CI : Calls)
    split(*CI, partwise(*CI));
  // They were kept for these calls.
  for (StringRef Name :
       {"__mig_bulk_copy", "__mig_bulk_move", "__mig_bulk_fill", "__mig_bulk_compare"})
    if (Function *F = M.getFunction(Name); F && !F->isDeclaration()) {
      F->setLinkage(GlobalValue::InternalLinkage);
      if (F->use_empty())
        F->eraseFromParent();
    }
}

} // namespace migrated
