// What may be in a function that native code runs alone, but not in one that can be left.
#include "abi.h"
#include "core.h"
#include "diag.h"
#include "reach.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace migrated {

// Why I cannot be part of a frame that moves; empty if it can.
static StringRef obstacle(const Instruction &I) {
  if (I.getType()->isScalableTy() || any_of(I.operands(), [](const Use &Op) {
        return Op->getType()->isScalableTy();
      }))
    return "a vector whose length depends on the machine";
  if (isa<CallBrInst>(I))
    return "inline assembly that jumps";
  if (isa<IndirectBrInst>(I))
    return "a computed goto that has not been lowered";
  if (isa<InvokeInst>(I) || I.isEHPad())
    return "exception handling";
  auto *CI = dyn_cast<CallInst>(&I);
  if (!CI)
    return "";
  if (auto *Asm = dyn_cast<InlineAsm>(CI->getCalledOperand()))
    return Asm->getAsmString().empty() ? "" : "inline assembly";
  if (CI->isMustTailCall())
    return "a call that must be a tail call";
  switch (CI->getIntrinsicID()) {
  case Intrinsic::returnaddress: case Intrinsic::addressofreturnaddress:
    return "the return address";
  case Intrinsic::frameaddress: case Intrinsic::sponentry:
    return "the address of the machine's stack frame";
  case Intrinsic::thread_pointer:
    return "the machine's thread pointer";
  case Intrinsic::vastart:
    return "a variable argument list that has not been lowered";
  default:
    return "";
  }
}

// Native code starts a thread in the one, and only portable code calls the others.
static bool mayBeLeft(const Function &F) {
  return F.hasLocalLinkage() || StringSwitch<bool>(F.getName())
                                    .Cases("__mig_thread_main", abi::PollSlowName, abi::LongjmpName, true)
                                    .Default(false);
}

void checkReached(Module &M) {
  Diagnostics Diag(M);
  Reach Reached(M);
  for (Function *F : Reached.functions(M)) {
    if (!mayBeLeft(*F))
      Diag.error(*F, "native code calls '" + F->getName() +
                         "', which can reach a migration point; a native frame cannot move");
    if (F->isVarArg())
      Diag.error(*F, "'" + F->getName() + "' still has a variable argument list");
    for (Instruction &I : instructions(F))
      if (StringRef Why = obstacle(I); !Why.empty())
        Diag.error(I, Why + " cannot migrate, and '" + F->getName() +
                          "' can reach a migration point; move it to a function that cannot");
  }
  Diag.exitOnError();
}

} // namespace migrated
