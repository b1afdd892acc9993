// setjmp and longjmp. While nothing has moved they are native. For afterwards, a function that
// can be left keeps in its shadow stack frame all that the code behind its setjmps uses: the
// frame can be entered there with no other state than its records begin with.
#include "abi.h"
#include "core.h"
#include "diag.h"
#include "liveness.h"
#include "reach.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace migrated {

namespace {

// In a POSIX libc. The second argument of sigsetjmp, if there is one, is about signal masks.
constexpr const char *SetjmpNames[] = {"setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp"};
constexpr const char *LongjmpNames[] = {"longjmp", "_longjmp", "siglongjmp"};

// The calls of the program's setjmp, as calls of the runtime's that know no frame.
SmallVector<CallInst *> replaceSetjmps(Module &M, Diagnostics &Diag) {
  SmallVector<CallInst *> Calls;
  LLVMContext &C = M.getContext();
  auto *Zero64 = ConstantInt::get(Type::getInt64Ty(C), 0);
  auto *Zero32 = ConstantInt::get(Type::getInt32Ty(C), 0);
  auto *Null = ConstantPointerNull::get(PointerType::getUnqual(C));
  for (const char *Name : SetjmpNames) {
    Function *F = M.getFunction(Name);
    if (!F || !F->isDeclaration())
      continue;
    for (User *U : make_early_inc_range(F->users())) {
      auto *Old = dyn_cast<CallInst>(U);
      if (!Old || Old->getCalledOperand() != F) {
        if (auto *I = dyn_cast<Instruction>(U))
          Diag.error(*I, Twine("the address of ") + Name + " is taken; call it by its name");
        else
          Diag.error(Twine("the address of ") + Name + " is taken; call it by its name");
        continue;
      }
      IRBuilder<> B(Old);
      CallInst *New =
          B.CreateCall(abi::setjmp(M), {Old->getArgOperand(0), Zero64, Zero32, Null});
      New->addFnAttr(Attribute::ReturnsTwice);
      New->takeName(Old);
      Old->replaceAllUsesWith(New);
      Old->eraseFromParent();
      Calls.push_back(New);
    }
  }
  return Calls;
}

void replaceLongjmps(Module &M) {
  for (const char *Name : LongjmpNames)
    if (Function *F = M.getFunction(Name); F && F->isDeclaration())
      F->replaceAllUsesWith(abi::longjmp(M).getCallee());
}

// One function that can be left, and its calls of setjmp.
class SetjmpFunction {
public:
  SetjmpFunction(Function &F, ArrayRef<CallInst *> Calls) : F(F), M(*F.getParent()), Calls(Calls) {}

  void lower() {
    for (CallInst *Call : Calls)
      Continuations.push_back(SplitBlock(Call->getParent(), Call->getNextNode()));
    keepInMemory();
    // Allocas from now on become parts of the shadow stack frame as they stand here.
    IRBuilder<> B(&*F.getEntryBlock().getFirstInsertionPt());
    B.SetCurrentDebugLocation(DebugLoc());
    Value *Count = abi::frameCount(M);
    Value *Id = B.CreateAdd(B.CreateAlignedLoad(B.getInt64Ty(), Count, Align(8)), B.getInt64(1),
                            "fid");
    B.CreateAlignedStore(Id, Count, Align(8));
    for (auto [Call, Continuation] : zip(Calls, Continuations)) {
      AllocaInst *Slot = B.CreateAlloca(
          ArrayType::get(B.getInt64Ty(), abi::JmpBufSize / 8), nullptr, "setjmp.slot");
      Slot->setAlignment(Align(abi::JmpBufAlign));
      Call->setArgOperand(1, Id);
      Call->setArgOperand(3, Slot);
      restoreShadowStack(B.CreateAlloca(B.getPtrTy(), nullptr, "setjmp.ssp"), *Call,
                         *Continuation);
    }
  }

private:
  // What is on the shadow stack above the frame when setjmp returns again is given up.
  void restoreShadowStack(AllocaInst *Saved, CallInst &Call, BasicBlock &Continuation) {
    Value *Top = abi::shadowTop(M);
    IRBuilder<> Before(&Call);
    Before.CreateAlignedStore(Before.CreateAlignedLoad(Before.getPtrTy(), Top, Align(8)), Saved,
                              Align(8));
    IRBuilder<> After(&*Continuation.getFirstInsertionPt());
    After.CreateAlignedStore(After.CreateAlignedLoad(After.getPtrTy(), Saved, Align(8)), Top,
                             Align(8));
  }

  // Moves what lives behind a setjmp to memory. A PHI that is moved leaves a load in its
  // place, which may live there in turn.
  void keepInMemory() {
    for (bool Again = true; Again;) {
      Liveness Live(F);
      SetVector<Value *> Vs;
      for (auto [Call, Continuation] : zip(Calls, Continuations))
        for (Value *V : Live.liveInto(*Continuation))
          if (V != Call && !isStaticAlloca(V))
            Vs.insert(V);
      for (Value *V : Vs)
        if (auto *A = dyn_cast<Argument>(V))
          demote(*A);
        else if (auto *Phi = dyn_cast<PHINode>(V))
          DemotePHIToStack(Phi);
        else
          DemoteRegToStack(*cast<Instruction>(V));
      Again = !Vs.empty();
    }
  }

  static bool isStaticAlloca(Value *V) {
    auto *A = dyn_cast<AllocaInst>(V);
    return A && A->isStaticAlloca();
  }

  void demote(Argument &A) {
    Instruction *First = &*F.getEntryBlock().getFirstInsertionPt();
    auto *Slot = new AllocaInst(A.getType(), F.getDataLayout().getAllocaAddrSpace(),
                                A.getName() + ".reg2mem", First->getIterator());
    for (Use &U : make_early_inc_range(A.uses())) {
      auto *User = cast<Instruction>(U.getUser());
      Instruction *At = User;
      if (auto *Phi = dyn_cast<PHINode>(User)) {
        BasicBlock *From = Phi->getIncomingBlock(U);
        At = From->getTerminator();
        // All entries for one block need the same value.
        if (Value *Other = Phi->getIncomingValueForBlock(From); Other != &A) {
          U.set(Other);
          continue;
        }
      }
      U.set(new LoadInst(A.getType(), Slot, A.getName() + ".reload", At->getIterator()));
    }
    new StoreInst(&A, Slot, std::next(Slot->getIterator())); // before any of the loads
  }

  Function &F;
  Module &M;
  ArrayRef<CallInst *> Calls;
  SmallVector<BasicBlock *> Continuations;
};

} // namespace

void lowerSetjmp(Module &M) {
  Diagnostics Diag(M);
  replaceLongjmps(M);
  MapVector<Function *, SmallVector<CallInst *>> Calls;
  for (CallInst *Call : replaceSetjmps(M, Diag))
    Calls[Call->getFunction()].push_back(Call);
  Diag.exitOnError();
  Reach Reached(M);
  for (auto &[F, Cs] : Calls)
    if (Reached.isReached(*F))
      SetjmpFunction(*F, Cs).lower();
}

} // namespace migrated
