// Code compiled for a changeable rounding mode (-frounding-math, FENV_ACCESS) to ordinary
// arithmetic. A guest always rounds to nearest, and the exception flags do not travel.
#include "front.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace migrated {

// The instruction of a constrained operation, or 0.
static unsigned instructionOf(Intrinsic::ID ID) {
  switch (ID) {
#define DAG_INSTRUCTION(NAME, NARG, ROUND_MODE, INTRINSIC, DAGN)                                   \
  case Intrinsic::INTRINSIC:                                                                       \
    return Instruction::NAME;
#define DAG_FUNCTION(NAME, NARG, ROUND_MODE, INTRINSIC, DAGN)
#include "llvm/IR/ConstrainedOps.def"
  default:
    return 0;
  }
}

// The unconstrained intrinsic function of a constrained one.
static Intrinsic::ID functionOf(Intrinsic::ID ID) {
  switch (ID) {
#define DAG_INSTRUCTION(NAME, NARG, ROUND_MODE, INTRINSIC, DAGN)
#define FUNCTION(NAME, NARG, ROUND_MODE, INTRINSIC)                                                \
  case Intrinsic::INTRINSIC:                                                                       \
    return Intrinsic::NAME;
#define DAG_FUNCTION(NAME, NARG, ROUND_MODE, INTRINSIC, DAGN)                                      \
  FUNCTION(NAME, NARG, ROUND_MODE, INTRINSIC)
#include "llvm/IR/ConstrainedOps.def"
  default:
    llvm_unreachable("a constrained operation that ConstrainedOps.def does not list");
  }
}

static Value *lower(ConstrainedFPIntrinsic *Op) {
  IRBuilder<> B(Op);
  B.setFastMathFlags(Op->getFastMathFlags());
  SmallVector<Value *, 3> Args(Op->arg_begin(), Op->arg_begin() + Op->getNonMetadataArgCount());
  if (auto *Compare = dyn_cast<ConstrainedFPCmpIntrinsic>(Op))
    return B.CreateFCmp(Compare->getPredicate(), Args[0], Args[1]);
  unsigned Code = instructionOf(Op->getIntrinsicID());
  if (Instruction::isCast(Code))
    return B.CreateCast(static_cast<Instruction::CastOps>(Code), Args[0], Op->getType());
  if (Instruction::isBinaryOp(Code))
    return B.CreateBinOp(static_cast<Instruction::BinaryOps>(Code), Args[0], Args[1]);
  return B.CreateIntrinsic(Op->getType(), functionOf(Op->getIntrinsicID()), Args);
}

void lowerStrictFP(Module &M) {
  for (Function &F : M) {
    if (!F.hasFnAttribute(Attribute::StrictFP))
      continue;
    F.removeFnAttr(Attribute::StrictFP);
    for (Instruction &I : make_early_inc_range(instructions(F))) {
      if (auto *Call = dyn_cast<CallBase>(&I))
        Call->removeFnAttr(Attribute::StrictFP);
      if (auto *Op = dyn_cast<ConstrainedFPIntrinsic>(&I)) {
        Value *V = lower(Op);
        V->takeName(Op);
        Op->replaceAllUsesWith(V);
        Op->eraseFromParent();
      }
    }
  }
}

} // namespace migrated
