// Moves what reached functions keep on the machine stack to the thread's shadow stack, which
// lies in portable memory: a pointer to a local variable survives the frame's move.
//
// Other functions keep theirs on the machine stack, but for those that look at an address as
// such: how deep recursion is, many programs tell by the distance of two local variables.
//
// Around the shadow stack is other memory, with a small guard at most. So a large frame looks whether it has
// room. Small ones need not: recursion looks at its migration points (poll.cpp).
#include "abi.h"
#include "check.h"
#include "core.h"
#include "reach.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace migrated {

namespace {

// Frames of the shadow stack start and end at this alignment.
constexpr uint64_t FrameAlign = 16;

// Frames of this many bytes and more look whether they have room. A guard is 8 KiB by default.
constexpr uint64_t LargeFrame = 1024;

class ShadowFrame {
public:
  explicit ShadowFrame(Function &F)
      : F(F), DL(F.getDataLayout()), Top(abi::shadowTop(*F.getParent())) {}

  void build() {
    collect();
    dropLifetimes();
    for (IntrinsicInst *I : SavesAndRestores)
      moveSaveOrRestore(*I);
    if (Static.empty() && Dynamic.empty())
      return;
    openFrame();
    for (AllocaInst *A : Dynamic)
      moveDynamic(*A);
    closeFrame();
  }

private:
  void collect() {
    for (Instruction &I : instructions(F)) {
      if (auto *A = dyn_cast<AllocaInst>(&I))
        (A->isStaticAlloca() ? Static : Dynamic).push_back(A);
      else if (auto *II = dyn_cast<IntrinsicInst>(&I)) {
        if (II->isLifetimeStartOrEnd())
          Lifetimes.push_back(II);
        else if (II->getIntrinsicID() == Intrinsic::stacksave ||
                 II->getIntrinsicID() == Intrinsic::stackrestore)
          SavesAndRestores.push_back(II);
      } else if (isa<ReturnInst>(I))
        Returns.push_back(&I);
    }
  }

  // They say when a part of the machine stack may be used again.
  void dropLifetimes() {
    for (IntrinsicInst *I : Lifetimes)
      I->eraseFromParent();
  }

  void openFrame() {
    uint64_t Size = 0, Align = FrameAlign;
    SmallVector<std::pair<AllocaInst *, uint64_t>> Offsets;
    for (AllocaInst *A : Static) {
      Align = std::max(Align, A->getAlign().value());
      Size = alignTo(Size, A->getAlign());
      Offsets.push_back({A, Size});
      Size += A->getAllocationSize(DL)->getFixedValue();
    }
    Size = alignTo(Size, FrameAlign);

    IRBuilder<> B(&*F.getEntryBlock().getFirstInsertionPt());
    B.SetCurrentDebugLocation(DebugLoc());
    Caller = B.CreateAlignedLoad(B.getPtrTy(), Top, llvm::Align(8), "shadow.caller");
    Frame = B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Caller, -Size, "shadow.frame");
    if (Align > FrameAlign)
      Frame = alignDown(B, Frame, Align);
    else
      CallerIsAt = Size;
    if (Size >= LargeFrame)
      checkRoom(B, Frame);
    B.CreateAlignedStore(Frame, Top, llvm::Align(8));
    for (auto [A, Offset] : Offsets) {
      Value *Address = Offset ? B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Frame, Offset) : Frame;
      if (Offset)
        Address->takeName(A);
      A->replaceAllUsesWith(Address);
    }
    for (AllocaInst *A : Static) // only now: the builder may stand at one
      A->eraseFromParent();
  }

  // Ends the program if Address, a new top, is below the stack. Signed: it may be below 0.
  void checkRoom(IRBuilder<> &B, Value *Address) {
    Module &M = *F.getParent();
    Value *Limit = B.CreateAlignedLoad(B.getPtrTy(), abi::shadowLimit(M), llvm::Align(8));
    Value *IsFull = B.CreateICmpSLT(Address, Limit, "full");
    Instruction *Next = &*B.GetInsertPoint();
    Instruction *End = SplitBlockAndInsertIfThen(
        IsFull, Next, /*Unreachable=*/true,
        MDBuilder(M.getContext()).createUnlikelyBranchWeights());
    CallInst *Call = IRBuilder<>(End).CreateCall(abi::stackOverflow(M));
    if (DISubprogram *SP = F.getSubprogram())
      Call->setDebugLoc(DILocation::get(M.getContext(), 0, 0, SP));
    B.SetInsertPoint(Next);
  }

  Value *alignDown(IRBuilder<> &B, Value *Address, uint64_t Align) {
    if (Align <= FrameAlign)
      return Address;
    return B.CreateIntrinsic(Intrinsic::ptrmask, {B.getPtrTy(), B.getInt64Ty()},
                             {Address, B.getInt64(-Align)});
  }

  void moveDynamic(AllocaInst &A) {
    IRBuilder<> B(&A);
    Value *Size = B.CreateMul(B.CreateZExtOrTrunc(A.getArraySize(), B.getInt64Ty()),
                              B.getInt64(DL.getTypeAllocSize(A.getAllocatedType())));
    Size = B.CreateAnd(B.CreateAdd(Size, B.getInt64(FrameAlign - 1)), B.getInt64(-FrameAlign));
    Value *Old = B.CreateAlignedLoad(B.getPtrTy(), Top, Align(8));
    Value *Address = B.CreateGEP(B.getInt8Ty(), Old, B.CreateNeg(Size));
    Address = alignDown(B, Address, A.getAlign().value());
    checkRoom(B, Address);
    B.CreateAlignedStore(Address, Top, Align(8));
    Address->takeName(&A);
    A.replaceAllUsesWith(Address);
    A.eraseFromParent();
  }

  void moveSaveOrRestore(IntrinsicInst &I) {
    IRBuilder<> B(&I);
    if (I.getIntrinsicID() == Intrinsic::stacksave)
      I.replaceAllUsesWith(B.CreateAlignedLoad(B.getPtrTy(), Top, Align(8)));
    else
      B.CreateAlignedStore(I.getArgOperand(0), Top, Align(8));
    I.eraseFromParent();
  }

  // Where it can, computes the caller's top from the frame: one value less stays live.
  void closeFrame() {
    for (Instruction *R : Returns) {
      IRBuilder<> B(R);
      Value *Old =
          CallerIsAt ? B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Frame, *CallerIsAt) : Caller;
      B.CreateAlignedStore(Old, Top, Align(8));
    }
  }

  Function &F;
  const DataLayout &DL;
  GlobalVariable *Top;
  Value *Caller = nullptr; // the shadow stack's top in the caller
  Value *Frame = nullptr;
  std::optional<uint64_t> CallerIsAt; // Caller's distance from Frame, if it is constant
  SmallVector<AllocaInst *> Static, Dynamic;
  SmallVector<IntrinsicInst *> Lifetimes, SavesAndRestores;
  SmallVector<Instruction *> Returns;
};

bool isIn(const Value *Pointer, const AllocaInst *A) {
  SmallVector<const Value *> Objects;
  getUnderlyingObjects(Pointer, Objects);
  return all_of(Objects, [&](const Value *O) { return O == A || isa<ConstantPointerNull>(O); });
}

// Whether two numbers, one of which is Number, the address of a place in A, tell how far places
// in A are from each other and no more.
bool isDistanceIn(const User *U, const Value *Number, const AllocaInst *A) {
  auto *Sub = dyn_cast<BinaryOperator>(U);
  if (!Sub || Sub->getOpcode() != Instruction::Sub)
    return false;
  auto *Other = dyn_cast<PtrToIntOperator>(Sub->getOperand(Sub->getOperand(0) == Number));
  return Other && isIn(Other->getPointerOperand(), A);
}

// Whether the function takes an address in A for a number, or compares it with one elsewhere.
bool isAddressSeen(const AllocaInst *A) {
  SmallVector<const Value *> Pointers{A};
  SmallPtrSet<const Value *, 8> Known{A};
  while (!Pointers.empty()) {
    const Value *Pointer = Pointers.pop_back_val();
    for (const User *U : Pointer->users()) {
      if (isa<GetElementPtrInst, PHINode, SelectInst>(U)) {
        if (Known.insert(U).second)
          Pointers.push_back(U);
      } else if (isa<PtrToIntInst>(U)) {
        if (!all_of(U->users(), [&](const User *N) { return isDistanceIn(N, U, A); }))
          return true;
      } else if (auto *Compare = dyn_cast<ICmpInst>(U)) {
        if (!isIn(Compare->getOperand(Compare->getOperand(0) == Pointer), A))
          return true;
      }
    }
  }
  return false;
}

bool seesAddress(const Function &F) {
  return any_of(instructions(F), [](const Instruction &I) {
    auto *A = dyn_cast<AllocaInst>(&I);
    return A && isAddressSeen(A);
  });
}

} // namespace

void moveToShadowStack(Module &M) {
  Reach Reached(M);
  for (Function *F : Reached.functions(M))
    ShadowFrame(*F).build();
  for (Function &F : M)
    if (!Reached.isReached(F) && !F.hasFnAttribute(SystemAttr) && seesAddress(F))
      ShadowFrame(F).build();
}

} // namespace migrated
